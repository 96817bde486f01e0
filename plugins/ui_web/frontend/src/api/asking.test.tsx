// @vitest-environment happy-dom
import { render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useAsked } from "./asking";

let root: HTMLElement;
let again = () => {};
/** Answers what was asked, in the order in which it was. */
let answers: ((text: string) => void)[] = [];

function Page() {
  const { asked, again: repeat } = useAsked(() => new Promise<string>((resolve) => answers.push(resolve)));
  again = repeat;
  return <p>{asked.value.value ?? "nothing yet"}</p>;
}

const answer = (n: number, text: string) => act(async () => {
  answers[n]!(text);
  await vi.advanceTimersByTimeAsync(10);
});

beforeEach(async () => {
  vi.useFakeTimers();
  answers = [];
  root = document.body.appendChild(document.createElement("div"));
  await act(() => render(<Page />, root));
});

afterEach(() => {
  render(null, root);
  root.remove();
  vi.useRealTimers();
});

test("changes that come more often than the server answers do not keep its answers from being shown", async () => {
  again();
  again();
  await vi.advanceTimersByTimeAsync(10);
  expect(answers.length).toBe(1);
  await answer(0, "from before the changes");
  expect(root.textContent).toBe("from before the changes");
  expect(answers.length).toBe(2);
  await answer(1, "from after the changes");
  expect(root.textContent).toBe("from after the changes");
  expect(answers.length).toBe(2);
});

test("an answer that does not come is not waited for by those who ask again", async () => {
  await vi.advanceTimersByTimeAsync(10_001);
  again();
  await vi.advanceTimersByTimeAsync(10);
  expect(answers.length).toBe(2);
  await answer(1, "the second");
  await answer(0, "the first");
  expect(root.textContent).toBe("the second");
});
