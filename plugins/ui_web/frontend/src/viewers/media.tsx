/** What the browser plays and shows by itself: sound, video, PDF, and pages in a frame that reaches nothing of this server. */
import { useSignal } from "@preact/signals";
import { frameUrl, nameOf } from "../artifacts/files";
import { bytes } from "../values/numbers";
import { TextViewer } from "./text";
import type { ViewerProps } from "./viewer";
import { useView, Views } from "./views";

const FRAME_BYTES = 40 << 20;

export function AudioViewer({ source, file }: ViewerProps) {
  const failed = useSignal(false);
  if (failed.value) return <p class="soft">This browser cannot play it. Download it to listen.</p>;
  return <audio class="player" controls preload="metadata" src={source} aria-label={nameOf(file.path)} onError={() => (failed.value = true)} />;
}

export function VideoViewer({ source, file }: ViewerProps) {
  const failed = useSignal(false);
  if (failed.value) return <p class="soft">This browser cannot play it. Download it to watch.</p>;
  return <video class="player" controls preload="metadata" src={source} aria-label={nameOf(file.path)} onError={() => (failed.value = true)} />;
}

export function PdfViewer({ subject, file }: ViewerProps) {
  if (isTooLarge(file.size)) return <TooLarge size={file.size} />;
  return <iframe class="frame" title={nameOf(file.path)} src={frameUrl(subject, file.path)} />;
}

export function PageViewer(props: ViewerProps) {
  const view = useView(["page", "source"]);
  if (isTooLarge(props.file.size)) return <TooLarge size={props.file.size} />;
  return (
    <div class="stack">
      <div class="row">
        <Views chosen={view} views={{ page: "Page", source: "Source" }} />
        <span class="soft small">Its scripts run apart from this server and reach no network.</span>
      </div>
      {view === "page" ? (
        <iframe class="frame" title={nameOf(props.file.path)} sandbox="allow-scripts" referrerpolicy="no-referrer" src={frameUrl(props.subject, props.file.path)} />
      ) : (
        <TextViewer {...props} />
      )}
    </div>
  );
}

function isTooLarge(size: number | null): boolean {
  return size !== null && size > FRAME_BYTES;
}

function TooLarge({ size }: { size: number | null }) {
  return <p class="banner">This file has {bytes(size ?? 0)}, more than is shown here. Download it instead.</p>;
}
