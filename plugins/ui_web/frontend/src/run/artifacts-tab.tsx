/** The files of a run. They are listed anew when some have come through the server, and now and then while the run goes on. */
import { useSignal, useSignalEffect } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { onChange } from "../api/changes";
import { ArtifactBrowser } from "../artifacts/browser";
import type { RunTabProps } from "../pages/run";

const REFRESH_MS = 10_000;

export function ArtifactsTab({ told }: RunTabProps) {
  const { info } = told.run;
  const version = useSignal(0);
  const again = () => (version.value = version.peek() + 1);
  const root = `${info.artifact_uri.replace("mlflow-artifacts:/", "")}/`;
  useSignalEffect(() => onChange((change) => change.kind === "artifact" && (change.path ?? root).startsWith(root), again, 2000, true));
  useEffect(() => {
    if (info.status !== "RUNNING") return undefined;
    const timer = setInterval(() => document.hidden || again(), REFRESH_MS); // what a program puts there itself is not told
    return () => clearInterval(timer);
  }, [info.status]);
  return <ArtifactBrowser subject={{ run_id: info.run_id }} version={version.value} empty="Files come with log_artifact, log_image, log_table, log_model and the like." />;
}
