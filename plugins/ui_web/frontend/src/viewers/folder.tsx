/** Folders: a model where there is an MLmodel, pictures over steps where there are such, and the files otherwise. */
import { useEffect } from "preact/hooks";
import { folderOf, nameOf, openPath } from "../artifacts/files";
import { ModelCard } from "../model/card";
import { Icon } from "../parts/icon";
import { Fault, Waiting } from "../parts/states";
import { bytes, count } from "../values/numbers";
import { seriesIn, Gallery } from "./series";
import { TextViewer } from "./text";
import type { ViewerProps } from "./viewer";
import { useView, Views } from "./views";

const SHOWN = 500;

export function FolderViewer({ subject, folders, file }: ViewerProps) {
  useEffect(() => void folders.load(file.path), [file.path]);
  const listing = folders.listing(file.path);
  const fault = folders.fault(file.path);
  const hasPictures = listing ? seriesIn(listing.files).size > 0 : false;
  const hasModel = listing?.files.some((one) => nameOf(one.path) === "MLmodel") ?? false;
  const views: Record<string, string> = { ...(hasModel ? { model: "Model" } : {}), ...(hasPictures ? { pictures: "Pictures" } : {}), files: "Files" };
  const view = useView(Object.keys(views));
  if (fault) return <Fault fault={fault} again={() => void folders.load(file.path)} />;
  if (!listing) return <Waiting what="the folder" height={240} />;
  const total = listing.files.reduce((sum, one) => sum + (one.size ?? 0), 0);
  return (
    <div class="stack">
      {Object.keys(views).length > 1 && <Views chosen={view} views={views} />}
      {view === "model" ? (
        <ModelCard subject={subject} folder={file.path} />
      ) : view === "pictures" ? (
        <Gallery files={listing.files} address={folders.address} />
      ) : (
        <>
          <ul class="links">
            {listing.files.slice(0, SHOWN).map((one) => (
              <li key={one.path}>
                <button type="button" class="folder-entry" onClick={() => openPath(one.path)}>
                  <Icon name={one.is_dir ? "folder" : "file"} size={14} />
                  <span class="one-line">{nameOf(one.path)}</span>
                  <span class="number soft">{one.size === null ? "" : bytes(one.size)}</span>
                </button>
              </li>
            ))}
          </ul>
          <p class="soft">
            {listing.count > SHOWN ? `The first ${count(SHOWN)} of ${count(listing.count)}; the tree has ${listing.count > listing.files.length ? count(listing.files.length) : "them all"}. ` : ""}
            {total > 0 ? `${bytes(total)} in the files of this folder.` : ""}
          </p>
        </>
      )}
    </div>
  );
}

export function ModelViewer(props: ViewerProps) {
  const view = useView(["model", "source"]);
  return (
    <div class="stack">
      <Views chosen={view} views={{ model: "Model", source: "Source" }} />
      {view === "model" ? <ModelCard subject={props.subject} folder={folderOf(props.file.path)} /> : <TextViewer {...props} />}
    </div>
  );
}
