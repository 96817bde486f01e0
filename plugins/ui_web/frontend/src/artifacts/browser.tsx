/** Files beside what is in them: the tree, and the viewer of the one that the address names with `path`. */
import { useMemo, useEffect } from "preact/hooks";
import { useQuery } from "../app/query";
import { Empty, Fault, Waiting } from "../parts/states";
import { Viewer } from "../viewers/viewer";
import { openPath, type Subject } from "./files";
import { Folders } from "./folders";
import { Tree } from "./tree";
import "../styles/artifacts.css";

interface Props {
  readonly subject: Subject;
  /** What an empty tree says would change that. */
  readonly empty: string;
  /** Changes when files may have come. */
  readonly version?: number;
}

export function ArtifactBrowser({ subject, empty, version = 0 }: Props) {
  const folders = useMemo(() => new Folders(subject), [JSON.stringify(subject)]);
  const path = useQuery("path");
  const chosen = path.value;
  useEffect(() => {
    void folders.load("");
    if (chosen) void folders.reveal(chosen);
  }, [folders, chosen]);
  useEffect(() => {
    if (version) folders.refresh();
  }, [version]);
  const root = folders.listing("");
  const fault = folders.fault("");
  if (fault) return <Fault fault={fault} again={() => void folders.load("")} />;
  if (!root) return <Waiting what="files" height={480} />;
  if (root.files.length === 0)
    return (
      <Empty title="No files">
        <p>{empty}</p>
      </Empty>
    );
  return (
    <div class="browser">
      <Tree folders={folders} chosen={chosen} choose={openPath} />
      <Viewer folders={folders} path={chosen} />
    </div>
  );
}
