// @vitest-environment happy-dom
import { render } from "preact";
import { expect, test } from "vitest";
import { Markdown } from "./markdown";

function drawn(text: string): HTMLElement {
  const root = document.createElement("div");
  render(<Markdown text={text} />, root);
  return root.firstElementChild as HTMLElement;
}

test("headings, emphasis and code are drawn as elements", () => {
  const root = drawn("# Title\n\nsome **bold** and *slanted* `code` ~~gone~~");
  expect(root.querySelector("h3")?.textContent).toBe("Title");
  expect(root.querySelector("strong")?.textContent).toBe("bold");
  expect(root.querySelector("em")?.textContent).toBe("slanted");
  expect(root.querySelector("code")?.textContent).toBe("code");
  expect(root.querySelector("s")?.textContent).toBe("gone");
});

test("HTML in a note stays text", () => {
  const root = drawn('<img src=x onerror="alert(1)"> <script>alert(1)</script>\n\n> <b>x</b>\n\n- <i>y</i>\n\n| <u>z</u> |\n|---|\n| <a href="javascript:1">w</a> |');
  expect(root.querySelectorAll("img, script, b, i, u, a").length).toBe(0);
  expect(root.textContent).toContain("<script>alert(1)</script>");
});

test("only addresses of pages become links", () => {
  const root = drawn("[good](https://example.org/a?b=1) [bad](javascript:alert) [worse](data:text/html,x) [file](file:///etc/passwd) https://example.org/plain");
  expect([...root.querySelectorAll("a")].map((link) => link.getAttribute("href"))).toEqual(["https://example.org/a?b=1", "https://example.org/plain"]);
  expect([...root.querySelectorAll("a")].every((link) => link.rel.includes("noopener"))).toBe(true);
  expect(root.textContent).toContain("bad");
});

test("lists nest, and a numbered list after bullets is its own", () => {
  const root = drawn("- one\n- two\n  - inner\n\n3. third\n4. fourth");
  expect(root.querySelectorAll("ul > li").length).toBe(3);
  expect(root.querySelector("ul ul li")?.textContent).toBe("inner");
  expect(root.querySelector("ol")?.getAttribute("start")).toBe("3");
  expect(root.querySelectorAll("ol > li").length).toBe(2);
});

test("tables keep their columns, and escaped bars stay in them", () => {
  const root = drawn("| a | b |\n|---|--:|\n| x \\| y | 1 |");
  expect([...root.querySelectorAll("td")].map((cell) => cell.textContent)).toEqual(["x | y", "1"]);
  expect(root.querySelectorAll("td")[1]?.className).toBe("number");
});

test("names with underscores are not slanted", () => {
  expect(drawn("learning_rate_schedule and __dunder__").querySelector("em")).toBe(null);
});

test("a fence that is not closed takes the rest", () => {
  expect(drawn("```python\nx = 1\n# no heading").querySelector("pre")?.textContent).toBe("x = 1\n# no heading");
});

test("texts that are made to be slow are drawn before the test is over", () => {
  for (const text of ["`".repeat(5000), "*".repeat(5000), "[".repeat(5000), "> ".repeat(5000), "- ".repeat(5000), "_a".repeat(3000), `${"|".repeat(9000)}\n|---|`]) expect(drawn(text).className).toBe("prose");
});
