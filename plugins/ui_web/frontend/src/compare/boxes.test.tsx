// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Boxes, boxesOf } from "./boxes";

let root: HTMLElement;
const names = (many: number) => Array.from({ length: many }, (_, n) => `name ${n}`);

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

async function drawn(many: number, asTable: boolean): Promise<string> {
  const by = names(many);
  const columns = { "params.name": by, "metrics.loss": by.map((_, n) => n) };
  const related = { ids: by, names: by, columns } as never;
  const titles = new Map([["params.name", "name"]]);
  await act(() => render(<Boxes related={related} by="params.name" metric="metrics.loss" titles={titles} isShown={() => true} asTable={asTable} />, root));
  return root.querySelector('[role="status"]')?.textContent ?? "";
}

test("there is a box for every text", () => {
  expect(boxesOf(names(61), Array(61).fill(1)).length).toBe(61);
});

test("boxes that are left out are counted", async () => {
  expect(await drawn(24, false)).toBe("");
  expect(await drawn(61, false)).toBe("The first 24 of 61 values of name, in their order. The table has more; a filter brings others.");
});

test("the table has more of them, and says so where it has not all", async () => {
  expect(await drawn(61, true)).toBe("");
  expect(root.querySelectorAll("tbody tr").length).toBe(61);
  expect(await drawn(261, true)).toBe("The first 200 of 261 values of name, in their order. A filter brings others.");
});
