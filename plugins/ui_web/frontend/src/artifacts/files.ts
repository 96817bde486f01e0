/** Files of a run, a logged model or a version: what they are asked by, their listings, and where their bytes are. */
import { get, url } from "../api/http";
import { setQuery } from "../app/router";

/** What files belong to, as the server is asked for it. */
export type Subject = { readonly run_id: string } | { readonly model_id: string } | { readonly name: string; readonly version: string };

export interface FileEntry {
  readonly path: string;
  readonly is_dir: boolean;
  readonly size: number | null;
}

export interface Listing {
  readonly files: readonly FileEntry[];
  readonly count: number;
  readonly address: string;
}

/** The direct children of a folder, folders first. */
export function listFolder(subject: Subject, path: string, signal?: AbortSignal): Promise<Listing> {
  return get<Listing>("api/drupe/ui/files", { ...subject, path: path || undefined }, signal);
}

/** Where the server gives the bytes of a file. */
export function bytesPath(listing: string, path: string): string {
  return `${listing}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** The address of a file for elements of the page. */
export function bytesUrl(listing: string, path: string): string {
  return url(bytesPath(listing, path));
}

/** The address of a page or a PDF in a frame. */
export function frameUrl(subject: Subject, path: string): string {
  return url("api/drupe/ui/frame", { ...subject, path });
}

/** The address that people use in code. */
export function addressOf(subject: Subject, path: string): string {
  const root = "run_id" in subject ? `runs:/${subject.run_id}` : "model_id" in subject ? `models:/${subject.model_id}` : `models:/${subject.name}/${subject.version}`;
  return path ? `${root}/${path}` : root;
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

export function folderOf(path: string): string {
  return path.slice(0, Math.max(path.lastIndexOf("/"), 0));
}

/** Show a file or folder; how another one was looked at is no matter of this one. */
export function openPath(path: string): void {
  setQuery({ path, view: undefined, viewer: undefined, row: undefined, step: undefined }, { replace: false });
}
