/** What is known of a tree of files: folders as they were listed, those that are open, and the rows that are therefore seen. */
import { signal, type Signal } from "@preact/signals";
import { folderOf, listFolder, nameOf, type FileEntry, type Listing, type Subject } from "./files";
import { asError } from "../values/faults";

export interface Row {
  readonly path: string;
  readonly name: string;
  readonly level: number;
  readonly is_dir: boolean;
  readonly size: number | null;
  readonly isOpen: boolean;
  /** Of a folder that is open: it is waited for, or why it cannot be listed. */
  readonly note: string;
  readonly position: number;
  readonly siblings: number;
}

type Folder = Listing | "waiting" | Error;

export class Folders {
  readonly listed: Signal<ReadonlyMap<string, Folder>> = signal(new Map());
  readonly open: Signal<ReadonlySet<string>> = signal(new Set());

  constructor(readonly subject: Subject) {}

  /** Where bytes are given; "" until the first folder was listed. */
  get address(): string {
    const root = this.listed.value.get("");
    return root && typeof root === "object" && "address" in root ? root.address : "";
  }

  listing(path: string): Listing | undefined {
    const found = this.listed.value.get(path);
    return typeof found === "object" && "files" in found ? found : undefined;
  }

  fault(path: string): Error | undefined {
    const found = this.listed.value.get(path);
    return found instanceof Error ? found : undefined;
  }

  /** The entry of a path whose folder was listed; the root is a folder. */
  entry(path: string): FileEntry | undefined {
    if (!path) return { path: "", is_dir: true, size: null };
    return this.listing(folderOf(path))?.files.find((file) => file.path === path);
  }

  /** List a folder, once. */
  async load(path: string): Promise<void> {
    const known = this.listed.peek().get(path);
    if (known && !(known instanceof Error)) return;
    this.keep(path, "waiting");
    await this.reload(path);
  }

  /** List a folder anew; what was known stays until then. */
  async reload(path: string): Promise<void> {
    try {
      this.keep(path, await listFolder(this.subject, path));
    } catch (fault) {
      this.keep(path, asError(fault));
    }
  }

  /** List every folder that was, since files may have come. */
  refresh(): void {
    for (const path of this.listed.peek().keys()) void this.reload(path);
  }

  toggle(path: string, isOpen: boolean): void {
    const next = new Set(this.open.peek());
    if (isOpen) next.add(path);
    else next.delete(path);
    this.open.value = next;
    if (isOpen) void this.load(path);
  }

  /** Open all folders above a path, and list them. */
  async reveal(path: string): Promise<void> {
    const steps = path.split("/");
    const above = steps.slice(0, -1).map((_, at) => steps.slice(0, at + 1).join("/"));
    this.open.value = new Set([...this.open.peek(), ...above]);
    await Promise.all(["", ...above].map((one) => this.load(one)));
  }

  /** All rows in order; those of folders that are closed are left out. */
  rows(): Row[] {
    const found: Row[] = [];
    this.collect("", 1, found);
    return found;
  }

  private collect(folder: string, level: number, found: Row[]): void {
    const files = this.listing(folder)?.files ?? [];
    files.forEach((file, at) => {
      const isOpen = file.is_dir && this.open.value.has(file.path);
      const inside = isOpen ? this.listed.value.get(file.path) : undefined;
      const note = inside === "waiting" ? "loading…" : inside instanceof Error ? inside.message : inside && inside.files.length === 0 ? "empty" : "";
      found.push({ ...file, name: nameOf(file.path), level, isOpen, note, position: at + 1, siblings: files.length });
      if (isOpen) this.collect(file.path, level + 1, found);
    });
  }

  private keep(path: string, folder: Folder): void {
    this.listed.value = new Map(this.listed.peek()).set(path, folder);
  }
}
