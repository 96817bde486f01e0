/**
 * Markdown as people write notes: headings, lists, quotes, tables, code, emphasis, links. It is drawn as elements of the page and never as
 * HTML of the text, so that nothing in a note can be more than what is listed here. Pictures are drawn as links.
 */
import type { ComponentChildren } from "preact";
import "../styles/prose.css";

/** A note, drawn. Headings begin below those of the page. */
export function Markdown({ text }: { text: string }) {
  return <div class="prose">{blocks(text.replaceAll("\r\n", "\n").split("\n"), 0)}</div>;
}

const FENCE = /^ {0,3}(```+|~~~+)\s*(\S*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +)(.*)$/;
const TABLE_LINE = /^ *\|?( *:?-+:? *\|)+ *:?-* *:? *\|? *$/;
const DEEPEST = 8;

function blocks(lines: readonly string[], depth: number): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const fence = FENCE.exec(line);
    const heading = HEADING.exec(line);
    if (!line.trim()) {
      at += 1;
    } else if (fence) {
      const last = until(lines, at + 1, (one) => one.trimStart().startsWith(fence[1] ?? "```"));
      found.push(<pre class="code-block">{lines.slice(at + 1, last).join("\n")}</pre>);
      at = last + 1;
    } else if (heading) {
      const Level = `h${Math.min(6, (heading[1]?.length ?? 1) + 2)}` as "h3";
      found.push(<Level>{spans(heading[2] ?? "")}</Level>);
      at += 1;
    } else if (RULE.test(line)) {
      found.push(<hr />);
      at += 1;
    } else if (/^ {0,3}>/.test(line) && depth < DEEPEST) {
      const end = until(lines, at, (one) => !/^ {0,3}>/.test(one));
      found.push(<blockquote>{blocks(lines.slice(at, end).map((one) => one.replace(/^ {0,3}> ?/, "")), depth + 1)}</blockquote>);
      at = end;
    } else if (ITEM.test(line) && depth < DEEPEST) {
      const end = endOfList(lines, at);
      found.push(list(lines.slice(at, end), depth));
      at = end;
    } else if (line.includes("|") && TABLE_LINE.test(lines[at + 1] ?? "")) {
      const end = until(lines, at + 2, (one) => !one.includes("|"));
      found.push(table(lines.slice(at, end)));
      at = end;
    } else {
      const end = until(lines, at + 1, (one) => !one.trim() || FENCE.test(one) || HEADING.test(one) || /^ {0,3}>/.test(one) || ITEM.test(one));
      found.push(<p>{spans(lines.slice(at, end).join("\n"))}</p>);
      at = end;
    }
  }
  return found;
}

function until(lines: readonly string[], from: number, ends: (line: string) => boolean): number {
  let at = from;
  while (at < lines.length && !ends(lines[at] ?? "")) at += 1;
  return at;
}

/** Lists go on over lines that are indented, and over single empty lines before those. */
function endOfList(lines: readonly string[], from: number): number {
  const first = ITEM.exec(lines[from] ?? "");
  const indent = first?.[1]?.length ?? 0;
  const isNumbered = /\d/.test(first?.[2] ?? "");
  let at = from + 1;
  while (at < lines.length) {
    const line = lines[at] ?? "";
    const next = line.trim() ? line : (lines[at + 1] ?? "");
    const isDeeper = next.search(/\S/) > indent;
    const item = ITEM.exec(next);
    const isItem = item !== null && item[1]?.length === indent && /\d/.test(item[2] ?? "") === isNumbered;
    if (!next.trim() || !(isDeeper || isItem)) break;
    at += 1;
  }
  return at;
}

function list(lines: readonly string[], depth: number) {
  const first = ITEM.exec(lines[0] ?? "");
  const indent = first?.[1]?.length ?? 0;
  const items: string[][] = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && (item[1]?.length ?? 0) <= indent) items.push([item[4] ?? ""]);
    else items.at(-1)?.push(line.slice(Math.min(Math.max(line.search(/\S/), 0), indent + 2)));
  }
  const drawn = items.map((item) => {
    const inner = blocks(item, depth + 1);
    const only = inner.length === 1 && item.length === 1;
    const box = /^\[( |x|X)\] +(.*)$/.exec(item[0] ?? "");
    if (box && only)
      return (
        <li class="task">
          <input type="checkbox" checked={box[1] !== " "} disabled /> {spans(box[2] ?? "")}
        </li>
      );
    return <li>{only ? spans(item[0] ?? "") : inner}</li>;
  });
  return /\d/.test(first?.[2] ?? "") ? <ol start={Number.parseInt(first?.[2] ?? "1", 10)}>{drawn}</ol> : <ul>{drawn}</ul>;
}

function table(lines: readonly string[]) {
  const sides = cells(lines[1] ?? "").map((one) => (one.endsWith(":") ? "number" : ""));
  return (
    <div class="scrolls">
      <table class="plain-table">
        <thead>
          <tr>
            {cells(lines[0] ?? "").map((one, at) => (
              <th class={sides[at]}>{spans(one)}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.slice(2).map((line) => (
            <tr>
              {cells(line).map((one, at) => (
                <td class={sides[at]}>{spans(one)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function cells(line: string): string[] {
  return line
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((one) => one.trim().replaceAll("\\|", "|"));
}

const SPAN =
  /(?<code>`+)(?<literal>[^`]|[^`][\s\S]{0,1000}?[^`])\k<code>(?!`)|!?\[(?<label>[^\]\n]{0,500})\]\((?<link>[^()\s]{1,2000})(?: +"[^"]*")?\)|(?<auto>https?:\/\/[^\s<>"')\]]{1,2000})|(?<strong>\*\*|__)(?=\S)(?<bold>[\s\S]{1,2000}?\S)\k<strong>|(?<em>[*_])(?=\S)(?<italic>[^*_\n]{0,1000}?\S)\k<em>(?!\w)|~~(?<struck>[^~\n]{1,1000})~~|\\(?<escaped>[\\`*_{}[\]()#+\-.!|>~])|(?<br> {2,}\n|\\\n)/g;

function spans(text: string): ComponentChildren[] {
  const found: ComponentChildren[] = [];
  let at = 0;
  for (const match of text.matchAll(SPAN)) {
    const part = match.groups ?? {};
    if (part["em"] === "_" && /\w/.test(text[match.index - 1] ?? "")) continue; // as in snake_case_names
    if (match.index > at) found.push(text.slice(at, match.index));
    at = match.index + match[0].length;
    if (part["literal"] !== undefined) found.push(<code>{part["literal"]}</code>);
    else if (part["link"] !== undefined) found.push(link(part["link"], spans(part["label"] || part["link"])));
    else if (part["auto"] !== undefined) found.push(link(part["auto"], [part["auto"]]));
    else if (part["bold"] !== undefined) found.push(<strong>{spans(part["bold"])}</strong>);
    else if (part["italic"] !== undefined) found.push(<em>{spans(part["italic"])}</em>);
    else if (part["struck"] !== undefined) found.push(<s>{part["struck"]}</s>);
    else if (part["escaped"] !== undefined) found.push(part["escaped"]);
    else found.push(<br />);
  }
  if (at < text.length) found.push(text.slice(at));
  return found;
}

/** Only addresses that a browser opens as pages; everything else stays text. */
function link(address: string, label: ComponentChildren[]): ComponentChildren {
  if (!/^(https?:\/\/|mailto:)/i.test(address)) return <span title={address}>{label}</span>;
  return (
    <a href={address} target="_blank" rel="noopener noreferrer nofollow">
      {label}
    </a>
  );
}
