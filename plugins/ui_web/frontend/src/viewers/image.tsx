/** One picture with its size; where it is one of a series, the series with a slider over steps. */
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { folderOf, nameOf } from "../artifacts/files";
import { pictureOf } from "./kinds";
import { Series, seriesIn } from "./series";
import type { ViewerProps } from "./viewer";

/** Pictures smaller than this are drawn larger where they are to fit, with every pixel a square. */
const TINY_PX = 128;

export function ImageViewer(props: ViewerProps) {
  const picture = pictureOf(props.file.path);
  const listing = props.folders.listing(folderOf(props.file.path));
  const series = picture && listing ? seriesIn(listing.files).get(picture.key) : undefined;
  if (picture && !picture.small && series && series.length > 1)
    return <Series name={picture.key} pictures={series} address={props.folders.address} startAt={props.file.path} />;
  return <Picture source={props.source} name={nameOf(props.file.path)} />;
}

export function Picture({ source, name }: { source: string; name: string }) {
  const size = useSignal("");
  const isTiny = useSignal(false);
  const isWhole = useSignal(true);
  const isBroken = useSignal(false);
  useEffect(() => {
    isBroken.value = false;
  }, [source]);
  return (
    <figure class="picture">
      <div class={`picture-ground${isWhole.value ? (isTiny.value ? " tiny" : "") : " real"}`} tabIndex={isWhole.value ? -1 : 0}>
        {isBroken.value ? (
          <p class="soft">The browser cannot show this picture.</p>
        ) : (
          <img
            src={source}
            alt={name}
            onLoad={({ currentTarget: { naturalWidth, naturalHeight } }) => {
              size.value = `${naturalWidth} × ${naturalHeight} px`;
              isTiny.value = Math.max(naturalWidth, naturalHeight) < TINY_PX;
            }}
            onError={() => (isBroken.value = true)}
          />
        )}
      </div>
      <figcaption class="row soft" hidden={isBroken.value}>
        <span class="picture-size">{size.value}</span>
        <button type="button" class="button plain" aria-pressed={!isWhole.value} onClick={() => (isWhole.value = !isWhole.value)}>
          {isWhole.value ? "Real size" : "Fit"}
        </button>
      </figcaption>
    </figure>
  );
}
