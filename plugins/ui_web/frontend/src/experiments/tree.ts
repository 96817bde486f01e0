/** Experiments as a tree: `team/project/name` lies in the folder `project` of the folder `team`. Sums of folders are made here, too. */

/** What the server tells, in columns. */
export interface Experiments {
  readonly ids: readonly string[];
  readonly names: readonly string[];
  readonly updated: readonly (number | null)[];
  readonly runs: readonly number[];
  readonly newest: readonly (number | null)[];
  readonly notes: readonly string[];
  readonly tags: readonly Readonly<Record<string, string>>[];
  readonly is_cut: boolean;
}

export interface Node {
  /** The whole name, from the root. */
  readonly path: string;
  /** Its last part. */
  readonly title: string;
  readonly level: number;
  /** The place of the experiment of exactly this name; null for what is only a folder. */
  readonly experiment: number | null;
  readonly children: readonly Node[];
  /** Places of all experiments in it, itself too. */
  readonly all: readonly number[];
  readonly runs: number;
  readonly newest: number | null;
}

export type By = "name" | "runs" | "newest";

interface Branch {
  readonly path: string;
  readonly title: string;
  readonly level: number;
  experiment: number | null;
  readonly branches: Map<string, Branch>;
}

/** The top of the tree. Only experiments whose name has `search` in it are there, and the folders around them. */
export function treeOf(told: Experiments, search: string, by: By, isDescending: boolean): Node[] {
  const root: Branch = { path: "", title: "", level: 0, experiment: null, branches: new Map() };
  const wanted = search.trim().toLowerCase();
  for (const [n, name] of told.names.entries()) {
    if (wanted && !name.toLowerCase().includes(wanted) && told.ids[n] !== wanted) continue;
    let branch = root;
    const steps = stepsOf(name);
    for (const [depth, title] of steps.entries()) {
      let next = branch.branches.get(title);
      if (!next) {
        next = { path: steps.slice(0, depth + 1).join("/"), title, level: depth + 1, experiment: null, branches: new Map() };
        branch.branches.set(title, next);
      }
      branch = next;
    }
    branch.experiment = n;
  }
  const order = comparison(by, isDescending);
  return [...root.branches.values()].map((branch) => grown(branch, told, order)).sort(order);
}

/** The rows that are seen: all nodes below open ones. */
export function rowsOf(nodes: readonly Node[], isOpen: (node: Node) => boolean): Node[] {
  const rows: Node[] = [];
  const add = (node: Node) => {
    rows.push(node);
    if (node.children.length > 0 && isOpen(node)) node.children.forEach(add);
  };
  nodes.forEach(add);
  return rows;
}

/** How many nodes there are. */
export function size(nodes: readonly Node[]): number {
  return nodes.reduce((sum, node) => sum + 1 + size(node.children), 0);
}

/** The parts of a name. Slashes at its ends and doubled ones belong to the parts, so that no two names are one. */
function stepsOf(name: string): string[] {
  const parts = name.split("/");
  if (parts.some((part) => part.trim() === "")) return [name];
  return parts;
}

function grown(branch: Branch, told: Experiments, order: (one: Node, other: Node) => number): Node {
  const children = [...branch.branches.values()].map((child) => grown(child, told, order)).sort(order);
  const own = branch.experiment;
  const all = [...(own === null ? [] : [own]), ...children.flatMap((child) => child.all)];
  const times = all.map((n) => told.newest[n] ?? null).filter((ms) => ms !== null);
  return {
    path: branch.path,
    title: branch.title,
    level: branch.level,
    experiment: own,
    children,
    all,
    runs: all.reduce((sum, n) => sum + (told.runs[n] ?? 0), 0),
    newest: times.length > 0 ? times.reduce((one, other) => Math.max(one, other)) : null,
  };
}

function comparison(by: By, isDescending: boolean): (one: Node, other: Node) => number {
  const names = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const turn = isDescending ? -1 : 1;
  return (one, other) => {
    const order = by === "runs" ? one.runs - other.runs : by === "newest" ? (one.newest ?? 0) - (other.newest ?? 0) : names.compare(one.title, other.title);
    return turn * order || names.compare(one.title, other.title);
  };
}
