/** What could come next in a filter text: names of fields, operators, values, AND and OR. The server's parser has the last word on what is right. */
import { quotedValue } from "../values/quoted";
import type { Kind } from "./names";

export interface Key {
  readonly name: string;
  readonly kind: Kind;
  /** How many of the runs have it; undefined where all do. */
  readonly runs?: number | undefined;
}

export interface Offered {
  readonly text: string;
  /** Said beside it. */
  readonly about: string;
  /** Written in place of `text`, where that is longer. */
  readonly writes?: string;
}

/** What is being written at the caret: the text from `from` to `to` is replaced by what is chosen. */
export interface Spot {
  readonly wants: "name" | "operator" | "value" | "joiner" | "nothing";
  readonly from: number;
  readonly to: number;
  readonly typed: string;
  /** The field whose value is wanted. */
  readonly field: string;
}

const TOKEN = /\s+|(?:[A-Za-z_][\w.:/-]*)?(?:`[^`]*`?|"[^"]*"?|'[^']*'?)(?:\.\w*)?|[()=,]|[<>!]=?|[^\s()=,<>!`"']+/gu;
const OPERATORS: Record<Kind, readonly string[]> = {
  metric: ["<", "<=", ">", ">=", "=", "!=", "IS NULL", "IS NOT NULL"],
  param: ["=", "!=", "LIKE", "ILIKE", "IN", "IS NULL", "IS NOT NULL"],
  tag: ["=", "!=", "LIKE", "ILIKE", "IN"],
  attribute: ["=", "!=", "LIKE", "ILIKE", "IN", "<", ">"],
};
const WORDS = new Set(["=", "!=", "<", "<=", ">", ">=", "LIKE", "ILIKE"]);
const MOST = 50;

/** Where the caret is in the grammar. */
export function spotAt(text: string, caret: number): Spot {
  const before = text.slice(0, caret);
  const tokens = [...before.matchAll(TOKEN)].map((found) => ({ text: found[0], at: found.index }));
  const last = tokens.at(-1);
  const isOpen = last !== undefined && last.text.trim() !== "" && !/[()=,<>!]$/.test(last.text);
  const typed = isOpen ? last.text : "";
  const done = tokens.slice(0, isOpen ? -1 : undefined).filter((token) => token.text.trim() !== "");
  const { wants, field } = stateAfter(done.map((token) => token.text));
  const from = isOpen ? last.at : caret;
  const rest = isOpen ? /^[\w.:/-]*/.exec(text.slice(caret))![0].length : 0;
  return { wants, field, typed, from, to: caret + (wants === "name" ? rest : 0) };
}

/** What to offer, the best first. `values` are the frequent ones of the field, where they are known. */
export function offers(spot: Spot, keys: readonly Key[], values: readonly (readonly [string, number])[]): Offered[] {
  const typed = spot.typed.toLowerCase();
  switch (spot.wants) {
    case "name":
      return offeredNames(typed, spot.typed, keys);
    case "operator": {
      const kind = keys.find((key) => key.name === spot.field)?.kind ?? kindOf(spot.field);
      return OPERATORS[kind].filter((one) => one.toLowerCase().startsWith(typed)).map((one) => ({ text: one, about: "", writes: `${one}${one === "IN" ? " (" : " "}` }));
    }
    case "value": {
      const bare = typed.replace(/^['"]/, "").replace(/['"]$/, "");
      return values
        .filter(([value]) => value.toLowerCase().includes(bare))
        .slice(0, MOST)
        .flatMap(([value, runs]) => {
          const quoted = quotedValue(value);
          return quoted === null ? [] : [{ text: value, about: `${runs}`, writes: `${quoted} ` }];
        });
    }
    case "joiner":
      return ["AND", "OR"].filter((one) => one.toLowerCase().startsWith(typed)).map((one) => ({ text: one, about: "", writes: `${one} ` }));
    default:
      return [];
  }
}

function offeredNames(typed: string, asTyped: string, keys: readonly Key[]): Offered[] {
  const scored: [number, Key][] = [];
  for (const key of keys) {
    const name = key.name.toLowerCase();
    const short = name.slice(name.indexOf(".") + 1);
    const score = name.startsWith(typed) || short.startsWith(typed) ? 0 : name.includes(typed) ? 1 : -1;
    if (score >= 0) scored.push([score, key]);
  }
  scored.sort((one, other) => one[0] - other[0]);
  const found = scored.slice(0, MOST).map(([, key]): Offered => ({ text: key.name, about: key.runs === undefined ? "every run" : `${key.runs} runs`, writes: `${key.name} ` }));
  if (/^[\w-]{2,}$/.test(asTyped) && !/^(not|and|or)$/i.test(asTyped)) {
    const like = quotedValue(`%${asTyped}%`);
    if (like) found.push({ text: `run_name ILIKE ${like}`, about: "in the name of the run", writes: `run_name ILIKE ${like} ` });
  }
  return found;
}

function stateAfter(tokens: readonly string[]): { wants: Spot["wants"]; field: string } {
  let wants: Spot["wants"] = "name";
  let field = "";
  let inList = false;
  let depth = 0;
  for (const token of tokens) {
    const word = token.toUpperCase();
    if (inList) {
      if (token === "(") depth += 1;
      else if (token === ")") {
        inList = false;
        wants = "joiner";
      } else wants = token === "," ? "value" : "nothing";
      if (token === "(") wants = "value";
      continue;
    }
    if (wants === "name") {
      if (word === "NOT" || token === "(") continue;
      field = token;
      wants = "operator";
    } else if (wants === "operator" || wants === "nothing") {
      if (WORDS.has(word)) wants = "value";
      else if (word === "IN") {
        inList = true;
        wants = "nothing";
      } else if (word === "NULL") wants = "joiner";
      else wants = "operator";
    } else if (wants === "value") wants = "joiner";
    else if (word === "AND" || word === "OR") wants = "name";
  }
  return { wants, field };
}

function kindOf(name: string): Kind {
  const head = name.split(".")[0] ?? "";
  return head.startsWith("metric") ? "metric" : head.startsWith("param") ? "param" : head.startsWith("tag") ? "tag" : "attribute";
}
