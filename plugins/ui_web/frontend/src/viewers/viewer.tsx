/** Shows one file or folder: a line with its name, size and ways out, and below it the viewer for its kind. Viewers are loaded when needed. */
import type { ComponentType } from "preact";
import { useMemo } from "preact/hooks";
import { useQuery } from "../app/query";
import { addressOf, bytesUrl, folderOf, nameOf, type FileEntry, type Subject } from "../artifacts/files";
import type { Folders } from "../artifacts/folders";
import { extensionsOf, fitting, keyOf, type Extension } from "../extensions/list";
import { Part } from "../extensions/part";
import { Copy } from "../parts/copy";
import { Icon } from "../parts/icon";
import { Later } from "../parts/later";
import { Contained, Empty, Fault, Waiting } from "../parts/states";
import { bytes, counted } from "../values/numbers";
import { fileContext } from "./file";
import { kindOf, type FileKind } from "./kinds";
import { Views } from "./views";

export interface ViewerProps {
  readonly subject: Subject;
  readonly folders: Folders;
  readonly file: FileEntry;
  /** The address of the file's bytes below the server. */
  readonly source: string;
}

type Load = () => Promise<ComponentType<ViewerProps>>;

const text: Load = async () => (await import("./text")).TextViewer;
const VIEWERS: Record<FileKind, Load> = {
  text,
  yaml: text,
  json: async () => (await import("./json")).JsonViewer,
  markdown: async () => (await import("./text")).MarkdownViewer,
  table: async () => (await import("./table")).TableViewer,
  image: async () => (await import("./image")).ImageViewer,
  audio: async () => (await import("./media")).AudioViewer,
  video: async () => (await import("./media")).VideoViewer,
  pdf: async () => (await import("./media")).PdfViewer,
  page: async () => (await import("./media")).PageViewer,
  model: async () => (await import("./folder")).ModelViewer,
  unknown: async () => UnknownViewer,
};

export function Viewer({ folders, path }: { folders: Folders; path: string }) {
  const file = folders.entry(path);
  const above = folderOf(path);
  const fault = folders.fault(above);
  if (fault) return <Fault fault={fault} again={() => void folders.load(above)} />;
  if (!file && !folders.listing(above)) return <Waiting what="the file" height={320} />;
  if (!file)
    return (
      <Empty title="Not there">
        <p>
          There is no <code>{path}</code> among these files, or not any more.
        </p>
      </Empty>
    );
  const source = bytesUrl(folders.address, path);
  return (
    <section class="viewer" aria-label={file.path || "All files"}>
      <header class="viewer-head">
        <strong class="viewer-path" dir="auto">
          {file.path || "All files"}
        </strong>
        <span class="soft">{file.size === null ? told(folders, path) : bytes(file.size)}</span>
        <span class="row viewer-ways">
          <Copy text={addressOf(folders.subject, path)} label="Copy the address" />
          {!file.is_dir && (
            <a class="button" href={source} download={nameOf(path)}>
              <Icon name="download" size={14} /> Download
            </a>
          )}
        </span>
      </header>
      <Contained what="This viewer" key={path}>
        <Body subject={folders.subject} folders={folders} file={file} source={source} />
      </Contained>
    </section>
  );
}

function told(folders: Folders, path: string): string {
  const listing = folders.listing(path);
  return listing ? counted(listing.count, "entry", "entries") : "";
}

/**
 * The viewer of a plugin that fixes most of the file's name, and a built-in one where none fixes any; the reader may choose another. A viewer
 * that takes any file is no reason to hide what is built in for this kind.
 */
function Body(props: ViewerProps) {
  const { path, size, is_dir } = props.file;
  const asked = useQuery("viewer");
  const added = is_dir ? [] : extensionsOf("artifact-viewer");
  if (!added) return <Waiting what="the viewer" height={320} />;
  const all = fitting(added, path);
  const usable = all.filter((one) => one.max_bytes === null || (size ?? 0) <= one.max_bytes);
  const tooLargeFor = all.find((one) => !usable.includes(one));
  const known = is_dir || kindOf(nameOf(path)) !== "unknown";
  const plugins = usable.map((one) => [keyOf(one), one.title] as const);
  const views: Record<string, string> = Object.fromEntries(known && !usable[0]?.fixes ? [["built-in", "Built-in"], ...plugins] : [...plugins, ["built-in", "Built-in"]]);
  const chosen = Object.hasOwn(views, asked.value) ? asked.value : Object.keys(views)[0]!;
  const viewer = usable.find((one) => keyOf(one) === chosen);
  return (
    <>
      {usable.length > 0 && (known || usable.length > 1) && <Views name="viewer" chosen={chosen} views={views} />}
      {tooLargeFor && (
        <p class="soft">
          “{tooLargeFor.title}” shows files up to {bytes(tooLargeFor.max_bytes ?? 0)}.
        </p>
      )}
      {viewer ? <Added key={chosen} viewer={viewer} {...props} /> : <BuiltIn {...props} />}
    </>
  );
}

function Added({ viewer, subject, file, source }: ViewerProps & { viewer: Extension }) {
  return <Part extension={viewer} context={useMemo(() => fileContext(subject, file, source), [source, file.size])} />;
}

function BuiltIn(props: ViewerProps) {
  const { path, is_dir } = props.file;
  return <Later what="the viewer" height={320} load={is_dir ? async () => (await import("./folder")).FolderViewer : VIEWERS[kindOf(nameOf(path))]} props={props} />;
}

function UnknownViewer({ file, source }: ViewerProps) {
  return (
    <Empty title="No preview">
      <p>
        Files of this kind are not shown here{file.size === null ? "" : `; this one has ${bytes(file.size)}`}. <a href={source} download={nameOf(file.path)}>Download it</a>.
      </p>
    </Empty>
  );
}
