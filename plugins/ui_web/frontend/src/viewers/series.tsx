/** Pictures that were logged over steps under one key: a slider goes through them, and all series of a folder move together. */
import { useQuery } from "../app/query";
import { setQuery } from "../app/router";
import { bytesUrl, type FileEntry } from "../artifacts/files";
import { When } from "../parts/time";
import { count } from "../values/numbers";
import { pictureOf, type Picture } from "./kinds";

/** The series in a folder by key, each by step; the small twins for lists are left out where the full picture is there. */
export function seriesIn(files: readonly FileEntry[]): Map<string, Picture[]> {
  const found = new Map<string, Picture[]>();
  for (const file of files) {
    const picture = file.is_dir ? null : pictureOf(file.path);
    if (!picture || picture.small) continue;
    const series = found.get(picture.key);
    if (series) series.push(picture);
    else found.set(picture.key, [picture]);
  }
  for (const series of found.values()) series.sort((one, other) => one.step - other.step || one.timestamp - other.timestamp);
  return found;
}

/** One series. The step is in the address; `startAt` is the picture that is shown while none is. */
export function Series({ name, pictures, address, startAt }: { name: string; pictures: readonly Picture[]; address: string; startAt?: string }) {
  const step = useQuery("step");
  const at = step.value === "" ? Math.max(0, startAt ? pictures.findIndex((one) => one.path === startAt) : pictures.length - 1) : nearest(pictures, Number(step.value));
  const picture = pictures[at];
  if (!picture) return null;
  const next = pictures[at + 1];
  return (
    <figure class="picture">
      <div class="picture-ground">
        <img src={bytesUrl(address, picture.path)} alt={`${name} at step ${picture.step}`} />
        {next && <link rel="prefetch" as="image" href={bytesUrl(address, next.path)} />}
      </div>
      <figcaption class="series-bar">
        <strong class="one-line" title={name}>
          {name}
        </strong>
        <input
          type="range"
          aria-label={`Step of ${name}`}
          aria-valuetext={`step ${picture.step}`}
          min={0}
          max={pictures.length - 1}
          value={at}
          onInput={(event) => setQuery({ step: String(pictures[Number(event.currentTarget.value)]?.step ?? "") })}
        />
        <span class="number">step {count(picture.step)}</span>
        <span class="soft small">
          {at + 1} of {pictures.length} · <When ms={picture.timestamp} />
        </span>
      </figcaption>
    </figure>
  );
}

/** All series of a folder, side by side. */
export function Gallery({ files, address }: { files: readonly FileEntry[]; address: string }) {
  return (
    <div class="gallery">
      {[...seriesIn(files)].map(([key, pictures]) => (
        <Series key={key} name={key} pictures={pictures} address={address} />
      ))}
    </div>
  );
}

function nearest(pictures: readonly Picture[], step: number): number {
  let best = 0;
  pictures.forEach((one, at) => {
    if (Math.abs(one.step - step) < Math.abs((pictures[best]?.step ?? 0) - step)) best = at;
  });
  return best;
}
