// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen, onChange, type Change } from "./changes";

/** The browser's side of a connection, which the tests open, break and talk through. */
class Wire {
  static readonly CLOSED = 2;
  static all: Wire[] = [];
  readyState = 0;
  onopen = () => undefined;
  onerror = () => undefined;
  onmessage = (_: { data: string }) => undefined;

  constructor(readonly address: string) {
    Wire.all.push(this);
  }

  close(): void {
    this.readyState = Wire.CLOSED;
  }

  static get open(): Wire[] {
    return Wire.all.filter((wire) => wire.readyState !== Wire.CLOSED);
  }
}

let heard: string[] = [];
let stop = () => {};
const hear = (change: Change) => void heard.push(change.kind);

function see(isSeen: boolean): void {
  vi.spyOn(document, "hidden", "get").mockReturnValue(!isSeen);
  document.dispatchEvent(new Event("visibilitychange"));
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", Wire);
  Wire.all = [];
  heard = [];
  see(true);
  stop = listen(hear);
});

afterEach(() => {
  stop();
  vi.useRealTimers();
});

test("all who listen share one connection, which ends with the last of them", () => {
  const other = listen((change) => hear(change));
  expect(Wire.open.length).toBe(1);
  Wire.open[0]!.onmessage({ data: '{"kind":"run"}' });
  expect(heard).toEqual(["run", "run"]);
  other();
  expect(Wire.open.length).toBe(1);
  stop();
  expect(Wire.open.length).toBe(0);
});

test("a page that nobody sees holds no connection, and asks for what it missed when it is seen again", () => {
  Wire.open[0]!.onopen();
  see(false);
  expect(Wire.open.length).toBe(0);
  see(true);
  expect(Wire.open.length).toBe(1);
  expect(heard).toEqual([]);
  Wire.open[0]!.onopen();
  expect(heard).toEqual(["missed"]);
});

test("a page that comes to its connection late asks for what it missed, and one that has it at once does not", () => {
  Wire.open[0]!.onopen();
  expect(heard).toEqual([]);
  stop();
  stop = listen(hear);
  vi.advanceTimersByTime(101);
  Wire.open[0]!.onopen();
  expect(heard).toEqual(["missed"]);
});

test("a page that was opened where nobody saw it asks for what it missed when it is seen", () => {
  stop();
  see(false);
  stop = listen(hear);
  vi.advanceTimersByTime(60_000);
  expect(Wire.open.length).toBe(0);
  see(true);
  Wire.open[0]!.onopen();
  expect(heard).toEqual(["missed"]);
});

test("what happens before the first answer that is one is missed", () => {
  Wire.open[0]!.close();
  Wire.all[0]!.onerror();
  vi.advanceTimersByTime(3000);
  Wire.open[0]!.onopen();
  expect(heard).toEqual(["missed"]);
});

test("an answer that is none, as of a proxy, is not the end", () => {
  const [first] = Wire.open;
  first!.onopen();
  first!.close();
  first!.onerror();
  expect(Wire.open.length).toBe(0);
  vi.advanceTimersByTime(3000);
  expect(Wire.open.length).toBe(1);
  Wire.open[0]!.onopen();
  expect(heard).toEqual(["missed"]);
});

test("a lost connection is left to the browser, which tries again itself", () => {
  Wire.open[0]!.onerror();
  vi.advanceTimersByTime(10_000);
  expect(Wire.all.length).toBe(1);
});

test("where nothing is heard, those look who do not look by themselves", () => {
  const acted: string[] = [];
  const ends = [onChange(() => false, () => acted.push("a page that only listens"), 500), onChange(() => true, () => acted.push("a table that looks itself"), 500, true)];
  Wire.open[0]!.onmessage({ data: '{"kind":"unheard"}' });
  vi.advanceTimersByTime(500);
  expect(acted).toEqual(["a page that only listens"]);
  Wire.open[0]!.onmessage({ data: '{"kind":"missed"}' });
  vi.advanceTimersByTime(500);
  expect(acted.length).toBe(3);
  ends.forEach((end) => end());
});
