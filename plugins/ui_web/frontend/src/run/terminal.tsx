/** A line as a terminal shows it: colours and bold by escape codes; all other codes are dropped, and a carriage return begins the line anew. */
import type { ComponentChildren } from "preact";

const CODE = /\x1b\[([\d;]*)m|\x1b\[[\d;?]*[A-Za-ln-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-_]|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;
const COLOURS = ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"];

export function Coloured({ text }: { text: string }) {
  let end = text.length;
  while (text[end - 1] === "\r") end -= 1;
  const shown = end > 0 ? text.slice(text.lastIndexOf("\r", end - 1) + 1, end) : "";
  if (!/[\x00-\x08\x0b-\x1f\x7f]/.test(shown)) return <>{shown || " "}</>;
  const found: ComponentChildren[] = [];
  let at = 0;
  let colour = "";
  let isBold = false;
  const add = (piece: string) => {
    if (piece) found.push(colour || isBold ? <span class={`${colour ? `ink-${colour}` : ""}${isBold ? " ink-bold" : ""}`}>{piece}</span> : piece);
  };
  for (const match of shown.matchAll(CODE)) {
    add(shown.slice(at, match.index));
    at = match.index + match[0].length;
    if (match[1] === undefined) continue;
    for (const code of match[1].split(";").map(Number)) {
      if (code === 0) [colour, isBold] = ["", false];
      else if (code === 1) isBold = true;
      else if (code === 22) isBold = false;
      else if (code === 39) colour = "";
      else if (code >= 30 && code <= 37) colour = COLOURS[code - 30] ?? "";
      else if (code >= 90 && code <= 97) colour = COLOURS[code - 90] ?? "";
    }
  }
  add(shown.slice(at));
  return <>{found}</>;
}
