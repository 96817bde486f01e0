/** A file as the viewers of plugins get it: see `drupe_ui_web/extension_api.d.ts`. */
import type { FileContext } from "../../../drupe_ui_web/extension_api";
import { addressOf, nameOf, type FileEntry, type Subject } from "../artifacts/files";

export function fileContext(subject: Subject, file: FileEntry, source: string): FileContext {
  const read = (start: number, end: number) => readRange(source, start, Math.min(end, file.size ?? end));
  return {
    file: {
      path: file.path,
      name: nameOf(file.path),
      size: file.size,
      url: source,
      address: addressOf(subject, file.path),
      read,
      text: async (most) => new TextDecoder().decode(await read(0, most)),
    },
  };
}

/** The bytes of a range. A server that gives the whole file in place of it is listened to no longer than needed. */
async function readRange(source: string, start: number, end: number): Promise<Uint8Array> {
  if (end <= start) return new Uint8Array();
  const answer = await fetch(source, { headers: { Range: `bytes=${start}-${end - 1}` } });
  if (!answer.ok) throw new Error(((await answer.json().catch(() => ({}))) as { message?: string }).message ?? `The server answered with ${answer.status}.`);
  const skip = answer.status === 206 ? 0 : start;
  const found = new Uint8Array(end - start);
  const reader = answer.body?.getReader();
  let at = 0;
  while (reader && at < skip + found.length) {
    const { done, value } = await reader.read();
    if (done) break;
    const from = Math.max(0, skip - at);
    const piece = value.subarray(from, Math.max(from, skip + found.length - at));
    if (piece.length) found.set(piece, at + from - skip);
    at += value.length;
  }
  await reader?.cancel();
  return found.slice(0, Math.max(0, Math.min(at - skip, found.length)));
}
