// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Sections } from "./card";

let root: HTMLElement;

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

async function shown(many: number): Promise<number> {
  const rows = Array.from({ length: many }, (_, n) => ["input", `column ${n}`]);
  await act(() => render(<Sections sections={[{ title: "Input", blocks: [{ kind: "table", headings: ["", "Name"], rows, numbers: [] }] }]} />, root));
  return rowsNow();
}

const rowsNow = () => root.querySelectorAll("tbody tr").length;

test("a table that is soon read is whole", async () => {
  expect(await shown(30)).toBe(30);
  expect(root.querySelector("button")).toBe(null);
});

test("of a long table the first rows are shown, and all when somebody asks", async () => {
  expect(await shown(65)).toBe(12);
  const button = root.querySelector("button")!;
  expect(button.textContent).toBe("Show all 65 rows");
  await act(() => button.click());
  expect(rowsNow()).toBe(65);
  expect(button.getAttribute("aria-expanded")).toBe("true");
});
