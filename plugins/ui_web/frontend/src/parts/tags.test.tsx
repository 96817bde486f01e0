// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Tags, type Tag } from "./tags";

let root: HTMLElement;
const TAGS: Tag[] = [
  { key: "team", value: "<b>x</b>" },
  { key: "mlflow.user", value: "root" },
];

beforeEach(() => {
  root = document.body.appendChild(document.createElement("div"));
});

afterEach(() => {
  render(null, root);
  root.remove();
});

const button = (label: string) => [...root.querySelectorAll("button")].find((one) => one.getAttribute("aria-label") === label || one.textContent?.trim() === label);
const click = (label: string) => act(() => void button(label)?.click());
const type = (label: string, text: string) =>
  act(() => {
    const input = root.querySelector<HTMLInputElement>(`input[aria-label="${label}"]`);
    if (!input) throw new Error(`there is no input ${label}`);
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  });
const submit = () => act(async () => void root.querySelector("form")?.dispatchEvent(new Event("submit", { bubbles: true, cancelable: true })));

test("tags of the system are folded, and can not be changed", async () => {
  await act(() => render(<Tags tags={TAGS} set={vi.fn()} remove={vi.fn()} />, root));
  expect(root.textContent).not.toContain("mlflow.user");
  await click("Show 1 tag of the system");
  expect(root.textContent).toContain("mlflow.user");
  expect(button("Remove tag mlflow.user")).toBe(undefined);
  expect(root.querySelector("b")).toBe(null);
});

test("a new tag is set by its name without spaces around", async () => {
  const set = vi.fn(async () => undefined);
  await act(() => render(<Tags tags={[]} set={set} />, root));
  await click("Add tag");
  await type("Name of the tag", " state ");
  await type("Value of the tag", "kept");
  await submit();
  expect(set).toHaveBeenCalledWith("state", "kept");
  expect(root.querySelector("form")).toBe(null);
});

test("what the server refuses is said, and the form stays", async () => {
  await act(() => render(<Tags tags={TAGS} set={async () => Promise.reject(new Error("no such name"))} />, root));
  await click("Edit tag team");
  await submit();
  await vi.waitFor(() => expect(root.querySelector('[role="alert"]')?.textContent).toBe("no such name"));
  expect(root.querySelector("form")).not.toBe(null);
});

test("without a way to change them there are no buttons", async () => {
  await act(() => render(<Tags tags={TAGS.slice(0, 1)} />, root));
  expect(root.querySelectorAll("button").length).toBe(0);
});
