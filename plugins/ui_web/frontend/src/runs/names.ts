/** Names of fields as the query language writes them, such as `params.lr` and ``metrics.`loss`.min``: taken apart, made, and shown. */

export type Kind = "metric" | "param" | "tag" | "attribute";
export type Stat = "last" | "min" | "max" | "mean";

export interface Named {
  readonly kind: Kind;
  readonly key: string;
  /** Of a metric. */
  readonly stat: Stat;
}

export const STATS: readonly Stat[] = ["last", "min", "max", "mean"];

const KINDS: Record<string, Kind> = { metrics: "metric", params: "param", tags: "tag" };
const WORDS: Record<Kind, string> = { metric: "metrics", param: "params", tag: "tags", attribute: "attributes" };
const PLAIN = /^[A-Za-z0-9_.:/-]+$/;
const ENDS_LIKE_STAT = /\.(count|first|last|min|max|mean|argmin|argmax)$/;
const TITLES: Record<string, string> = {
  run_name: "Run",
  status: "Status",
  start_time: "Started",
  end_time: "Ended",
  duration: "Duration",
  user_id: "User",
  experiment: "Experiment",
  run_id: "Run id",
};

/** What a name means. */
export function named(name: string): Named {
  const dot = name.indexOf(".");
  const kind = dot < 0 ? undefined : KINDS[name.slice(0, dot)];
  if (!kind) return { kind: "attribute", key: name.replace(/^attributes\./, ""), stat: "last" };
  const rest = name.slice(dot + 1);
  const quote = rest[0] ?? "";
  if (!"`\"'".includes(quote)) return { kind, key: rest, stat: "last" };
  const end = rest.indexOf(quote, 1);
  const tail = rest.slice(end + 2) as Stat;
  return { kind, key: rest.slice(1, end < 0 ? undefined : end), stat: STATS.includes(tail) ? tail : "last" };
}

/** The name of a field; null for a key that the language cannot say, since it holds every kind of quote. */
export function nameOf({ kind, key, stat }: Named): string | null {
  if (kind === "attribute") return key;
  const isPlain = PLAIN.test(key) && !(kind === "metric" && ENDS_LIKE_STAT.test(key));
  const tail = kind === "metric" && stat !== "last" ? `.${stat}` : "";
  if (isPlain && !tail) return `${WORDS[kind]}.${key}`;
  const quote = ["`", '"', "'"].find((one) => !key.includes(one));
  return quote ? `${WORDS[kind]}.${quote}${key}${quote}${tail}` : null;
}

/** What stands above a column. */
export function titleOf({ kind, key }: Named): string {
  return kind === "attribute" ? (TITLES[key] ?? key) : key;
}

/** The small word above that. */
export function kindWord({ kind, stat }: Named): string | undefined {
  if (kind === "attribute") return undefined;
  return kind === "metric" && stat !== "last" ? `metric, ${stat}` : kind;
}
