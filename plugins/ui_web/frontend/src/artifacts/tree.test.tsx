// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Folders } from "./folders";
import { Tree } from "./tree";

const FILES: Record<string, { path: string; is_dir: boolean; size: number | null }[]> = {
  "": [
    { path: "a", is_dir: true, size: null },
    { path: "z.txt", is_dir: false, size: 12 },
  ],
  a: [{ path: "a/<b>.txt", is_dir: false, size: 3 }],
};
let root: HTMLElement;
let folders: Folders;
const chosen = vi.fn();

beforeEach(async () => {
  vi.stubGlobal("fetch", async (address: string) => {
    const path = new URL(address, "http://x/").searchParams.get("path") ?? "";
    return new Response(JSON.stringify({ files: FILES[path], count: FILES[path]?.length, address: "files" }));
  });
  root = document.body.appendChild(document.createElement("div"));
  folders = new Folders({ run_id: "r" });
  await folders.load("");
  await act(() => render(<Tree folders={folders} chosen="" choose={chosen} />, root));
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.unstubAllGlobals();
});

const rows = () => [...root.querySelectorAll<HTMLElement>('[role="treeitem"]')];
const press = async (key: string) => {
  await act(() => void root.querySelector('[role="tree"]')?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })));
  await vi.waitFor(() => expect(root.textContent).not.toContain("loading"));
};

test("rows tell their place, and names stay text", async () => {
  await press("ArrowRight");
  await vi.waitFor(() => expect(rows().length).toBe(3));
  expect(rows().map((row) => [row.title, row.getAttribute("aria-level"), row.getAttribute("aria-expanded")])).toEqual([
    ["a", "1", "true"],
    ["<b>.txt", "2", null],
    ["z.txt", "1", null],
  ]);
  expect(root.querySelector("b")).toBe(null);
});

test("keys move, open, close and choose", async () => {
  await press("ArrowRight");
  await vi.waitFor(() => expect(rows().length).toBe(3));
  await press("ArrowDown");
  expect(root.querySelector('[tabindex="0"][role="treeitem"]')?.getAttribute("title")).toBe("<b>.txt");
  await press("Enter");
  expect(chosen).toHaveBeenLastCalledWith("a/<b>.txt");
  await press("ArrowLeft");
  await press("ArrowLeft");
  expect(rows().length).toBe(2);
  await press("z");
  expect(root.querySelector('[tabindex="0"][role="treeitem"]')?.getAttribute("title")).toBe("z.txt");
});

test("of many rows only those in sight are drawn", async () => {
  FILES[""] = Array.from({ length: 5000 }, (_, at) => ({ path: `f${at}`, is_dir: false, size: 1 }));
  await folders.reload("");
  await vi.waitFor(() => expect(rows().at(0)?.getAttribute("aria-setsize")).toBe("5000"));
  expect(rows().length).toBeLessThan(60);
});
