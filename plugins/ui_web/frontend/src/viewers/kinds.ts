/** What a file is, by its name: the browser is never asked to guess from the content. */

export type FileKind = "text" | "json" | "yaml" | "markdown" | "table" | "image" | "audio" | "video" | "pdf" | "page" | "model" | "unknown";

const ENDINGS: Record<Exclude<FileKind, "unknown" | "model">, string> = {
  text: "txt log err cfg cnf conf ini properties toml xml py pyi r jl js mjs ts tsx jsx css sh bash bat sql java scala c h cpp hpp cs go rs rb php pl lua proto graphql tf dockerfile rst tex diff patch env gitignore lock pbtxt prototxt svgz ipynb",
  json: "json jsonl geojson",
  yaml: "yaml yml",
  markdown: "md markdown",
  table: "csv tsv parquet",
  image: "png jpg jpeg gif webp bmp svg avif ico",
  audio: "wav mp3 ogg oga flac m4a aac opus",
  video: "mp4 webm ogv mov m4v",
  pdf: "pdf",
  page: "html htm",
};
const BY_ENDING = new Map(Object.entries(ENDINGS).flatMap(([kind, endings]) => endings.split(" ").map((ending) => [ending, kind as FileKind] as const)));
const BY_NAME: ReadonlyMap<string, FileKind> = new Map(Object.entries<FileKind>({ MLmodel: "model", MLproject: "yaml", Dockerfile: "text", Makefile: "text", LICENSE: "text", NOTICE: "text", README: "text" }));

export function kindOf(name: string): FileKind {
  return BY_NAME.get(name) ?? BY_ENDING.get(name.slice(name.lastIndexOf(".") + 1).toLowerCase()) ?? "unknown";
}

/** One picture of a series, as `log_image` names them: key, step and time. `small` is the little twin for lists. */
export interface Picture {
  readonly path: string;
  readonly key: string;
  readonly step: number;
  readonly timestamp: number;
  readonly small: boolean;
}

const PICTURE = /^(?<key>.+?)(?<sep>[+%])step\k<sep>(?<step>-?\d+)\k<sep>timestamp\k<sep>(?<time>\d+)\k<sep>[0-9a-f-]+(?<small>\k<sep>compressed)?\.(?:png|webp|jpe?g)$/i;

/** What a name says of a picture of a series; null for other files. */
export function pictureOf(path: string): Picture | null {
  const found = PICTURE.exec(path.slice(path.lastIndexOf("/") + 1))?.groups;
  if (!found) return null;
  return { path, key: (found["key"] ?? "").replaceAll("~", "/").replaceAll("#", "/"), step: Number(found["step"]), timestamp: Number(found["time"]), small: found["small"] !== undefined };
}
