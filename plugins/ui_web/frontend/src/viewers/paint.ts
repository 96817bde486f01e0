/**
 * Colours for code: comments, texts, numbers and words of the language, found by one expression for each family of languages and shown with
 * the browser's highlight ranges, which need no elements. A browser without them shows the text plain.
 */

const LARGEST = 200_000;
/** Browsers need minutes to draw twenty thousand colours on one line, as in a script that was made small: such texts stay plain. */
const LONGEST_LINE = 5000;
const WORDS = {
  py: "and as assert async await break case class continue def del elif else except finally for from global if import in is lambda match nonlocal not or pass raise return try while with yield None True False self",
  js: "async await break case catch class const continue default delete do else export extends finally for from function if import in instanceof interface let new null of return static super switch this throw true false try type typeof undefined var void while yield",
  sql: "select from where and or not in join left right inner outer on group by order limit insert into values update set delete create table as distinct having union null is case when then else end with",
  sh: "if then else elif fi for while do done case esac function return in export local echo exit set cd",
  c: "auto bool break case char class const continue default delete do double else enum extern false final float fn for func go if impl import int interface let long match mod mut namespace new nil null package private protected public pub return self short static struct super switch template this throw trait true try type typedef union unsigned use using var virtual void volatile while",
  data: "true false null yes no on off",
};

type Family = keyof typeof WORDS;

const FAMILY: ReadonlyMap<string, Family> = new Map(Object.entries<Family>({
  py: "py", pyi: "py", r: "py", jl: "py", toml: "data", yaml: "data", yml: "data", MLmodel: "data", MLproject: "data", json: "data", jsonl: "data", cfg: "data", ini: "data", conf: "data", properties: "data",
  js: "js", mjs: "js", ts: "js", tsx: "js", jsx: "js", sql: "sql", sh: "sh", bash: "sh", Dockerfile: "sh", Makefile: "sh", env: "sh", tf: "c",
  c: "c", h: "c", cpp: "c", hpp: "c", cs: "c", go: "c", rs: "c", java: "c", scala: "c", php: "c", proto: "c", lua: "c", rb: "py",
}));
const HASH: ReadonlySet<Family> = new Set<Family>(["py", "sh", "data"]);
const KINDS = ["comment", "text", "number", "word"] as const;

/** Colour the text of an element by the name of its file; the returned function takes the colours away. */
export function paint(element: HTMLElement | null, name: string): (() => void) | undefined {
  const node = element?.firstChild;
  const family = FAMILY.get(name) ?? FAMILY.get(name.slice(name.lastIndexOf(".") + 1).toLowerCase());
  if (!(node instanceof Text) || !family || node.length > LARGEST || typeof Highlight === "undefined") return undefined;
  if (node.data.split("\n").some((line) => line.length > LONGEST_LINE)) return undefined;
  const ranges = new Map<string, Range[]>(KINDS.map((kind) => [kind, []]));
  for (const match of node.data.matchAll(expression(family))) {
    const kind = KINDS.find((one) => match.groups?.[one] !== undefined);
    if (!kind) continue;
    const range = new Range();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    ranges.get(kind)?.push(range);
  }
  for (const [kind, found] of ranges) {
    const highlight = new Highlight();
    for (const range of found) highlight.add(range); // one by one: there may be more than a call takes arguments
    CSS.highlights.set(`code-${kind}`, highlight);
  }
  return () => {
    for (const kind of KINDS) CSS.highlights.delete(`code-${kind}`);
  };
}

/**
 * Comments and texts over several lines that are not closed go on to the end, and a quote behind a backslash begins nothing: otherwise texts could
 * be made in which the same would be looked for again and again.
 */
export function expression(family: Family): RegExp {
  const comment = family === "sql" ? "--[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$)" : HASH.has(family) ? "#[^\\n]*" : "//[^\\n]*|/\\*[\\s\\S]*?(?:\\*/|$)";
  const text = `${family === "py" ? `"""[\\s\\S]*?(?:"""|$)|'''[\\s\\S]*?(?:'''|$)|` : ""}(?<!\\\\)(?:"(?:[^"\\\\\\n]|\\\\.)*"|'(?:[^'\\\\\\n]|\\\\.)*')${family === "js" ? "|`(?:[^`\\\\]|\\\\[\\s\\S])*(?:`|$)" : ""}`;
  const words = WORDS[family].split(" ").join("|");
  return new RegExp(`(?<text>${text})|(?<comment>${comment})|(?<number>\\b\\d[\\w.]*\\b)|(?<word>\\b(?:${words})\\b)`, family === "sql" ? "gi" : "g");
}
