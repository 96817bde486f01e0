// @vitest-environment happy-dom
import { render } from "preact";
import { expect, test } from "vitest";
import { Row } from "./row";
import type { GridColumn, GridProps } from "./types";

const COLUMNS: readonly GridColumn[] = [
  { key: "name", title: "Name", width: 200 },
  { key: "loss", title: "loss", width: 100, isNumber: true },
];
const PLACES = [
  { index: 0, start: 0 },
  { index: 1, start: 200 },
];

test("a row is drawn again when what it shows changes or the focus comes, and else stays as it is", () => {
  const body = document.createElement("div");
  const asked: string[] = [];
  let value = "0.5";
  const owner = { current: null as unknown as GridProps };
  const draw = (drawn: readonly unknown[] | undefined, focused = -1) => {
    asked.length = 0;
    owner.current = {
      label: "Runs",
      columns: COLUMNS,
      rows: 1,
      cell: (row, column) => {
        asked.push(`${row}:${column}`);
        return column === 0 ? "lively-fox" : value;
      },
    };
    render(
      <Row
        row={0}
        owner={owner}
        drawn={drawn}
        columns={COLUMNS}
        places={PLACES}
        focused={focused}
        class=""
        isSelected={false}
        isExpanded={undefined}
        level={undefined}
        top={0}
        width="300px"
        height={32}
      />,
      body,
    );
    return asked.length;
  };
  const run = { id: "a" };
  expect(draw([run, false])).toBe(2);
  expect(body.textContent).toBe("lively-fox0.5");
  value = "0.4";
  expect(draw([run, false])).toBe(0);
  expect(draw([run, false], 1)).toBe(2);
  expect(body.querySelector("[tabindex='0']")?.getAttribute("data-spot")).toBe("0:1");
  expect(draw([run, false], 1)).toBe(0);
  expect(draw([{ ...run }, false], 1)).toBe(2);
  expect(body.textContent).toBe("lively-fox0.4");
  expect([draw(undefined), draw(undefined)]).toEqual([2, 2]);
});
