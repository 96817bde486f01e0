// @vitest-environment happy-dom
import { render } from "preact";
import { expect, test } from "vitest";
import { Coloured } from "./terminal";

function drawn(text: string): HTMLElement {
  const root = document.createElement("div");
  render(<Coloured text={text} />, root);
  return root;
}

test("colours and bold become marks, and end where they end", () => {
  const root = drawn("\x1b[31mred\x1b[0m plain \x1b[1;92mbold\x1b[0m");
  expect([...root.querySelectorAll("span")].map((span) => [span.className, span.textContent])).toEqual([
    ["ink-red", "red"],
    ["ink-green ink-bold", "bold"],
  ]);
  expect(root.textContent).toBe("red plain bold");
});

test("codes that move the cursor, and titles, are dropped", () => {
  expect(drawn("\x1b[2K\x1b[1Ga\x1b]0;title\x07b\x07").textContent).toBe("ab");
});

test("a progress bar shows its last state", () => {
  expect(drawn("10%\r50%\r100%\r").textContent).toBe("100%");
});

test("a line that is made to be slow is drawn before the test is over", () => {
  expect(drawn(`${"\r".repeat(300_000)}x`).textContent).toBe("x");
  expect(drawn("\r".repeat(300_000)).textContent).toBe(" ");
});

test("HTML stays text", () => {
  expect(drawn("\x1b[31m<img src=x>\x1b[0m").querySelector("img")).toBe(null);
});
