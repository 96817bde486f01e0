// @vitest-environment happy-dom
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { RunRows, type Question } from "./windows";

const WAIT_MS = 60_000;
const QUESTION: Question = { experiments: ["0"], filter: "", order: "", view: "active", group: "", pinned: [] };

interface Sent {
  readonly form: { readonly since?: string; readonly result?: string };
  readonly answer: (ids: readonly string[], loss: readonly number[]) => Promise<void>;
}

/** What was asked of the server, which the tests answer when they like. */
let sent: Sent[] = [];
let rows: RunRows;

beforeEach(() => {
  sent = [];
  rows = new RunRows();
  vi.stubGlobal("fetch", (_: string, { body }: { body: string }) => {
    return new Promise<Response>((resolve) => {
      const answer = async (ids: readonly string[], loss: readonly number[]) => {
        const none = ids.map(() => null);
        const attributes = { run_name: ids, status: none, start_time: none, end_time: none, user_id: none, experiment_id: none };
        const told = { result: ids.join(), total: ids.length, is_cut: false, pinned: 0, offset: 0, ids, attributes, columns: { "metrics.loss": loss } };
        const before = rows.turn.value;
        resolve(new Response(JSON.stringify(told), { headers: { "content-type": "application/json" } }));
        await vi.waitUntil(() => rows.turn.value > before, { timeout: WAIT_MS, interval: 1 });
      };
      sent.push({ form: JSON.parse(body) as Sent["form"], answer });
    });
  });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

test("a run that is told of while the table is asked for comes into it", async () => {
  void rows.ask(QUESTION, ["metrics.loss"]);
  void rows.renew(["metrics.loss"], { atOnce: true });
  expect(sent.length).toBe(1);
  await sent[0]!.answer(["a"], [0.5]);
  expect(sent.map(({ form }) => form.since)).toEqual([undefined, "a"]);
  await sent[1]!.answer(["b", "a"], [0.25, 0.5]);
  expect(rows.row(0)?.name).toBe("b");
  expect(sent.length).toBe(2);
}, WAIT_MS);

test("a value that changes while values are read is read again, once", async () => {
  void rows.ask(QUESTION, ["metrics.loss"]);
  await sent[0]!.answer(["a"], [0.5]);
  for (let n = 0; n < 3; n += 1) void rows.refresh(0, 0, ["metrics.loss"]);
  expect(sent.length).toBe(2);
  await sent[1]!.answer(["a"], [0.25]);
  expect(sent.length).toBe(3);
  await sent[2]!.answer(["a"], [0.125]);
  expect(rows.row(0)?.value("metrics.loss")).toBe(0.125);
  expect(sent.length).toBe(3);
}, WAIT_MS);

test("another question needs no second look for what was told before it", async () => {
  void rows.ask(QUESTION, ["metrics.loss"]);
  void rows.renew(["metrics.loss"], { atOnce: true });
  void rows.ask({ ...QUESTION, order: "run_name" }, ["metrics.loss"]);
  await sent[1]!.answer(["a"], [0.5]);
  expect(sent.length).toBe(2);
}, WAIT_MS);
