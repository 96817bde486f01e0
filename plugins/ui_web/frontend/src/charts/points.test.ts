import { afterEach, beforeEach, expect, test, vi } from "vitest";

vi.stubGlobal("document", { baseURI: "http://localhost/" });
vi.stubGlobal("location", { pathname: "/", search: "" });
const { inRanges } = await import("./curves");
const { Asker, shows } = await import("./points");

const all = { runIds: ["r"], metric: "loss", other: "", buckets: 448, steps: null };
const EMPTY = new TextEncoder().encode('{"series": []}');

/** The bytes of an answer without series. */
function body(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(...new TextEncoder().encode("DRS1"), EMPTY.length, 0, 0, 0, ...EMPTY);
}

let sent: { readonly form: Record<string, unknown>; readonly signal: AbortSignal; readonly answer: (response: Response) => void }[] = [];

beforeEach(() => {
  sent = [];
  vi.stubGlobal("fetch", (_: string, asked: RequestInit) => new Promise<Response>((answer) => sent.push({ form: JSON.parse(String(asked.body)), signal: asked.signal!, answer })));
});

afterEach(() => void vi.unstubAllGlobals());

test("the same is asked once; a newer question drops the one before", async () => {
  const told: unknown[] = [];
  const came = new Promise<void>((done) => {
    const asker = new Asker((answer) => (told.push(answer.question.steps), done()), () => undefined);
    asker.ask(all, 0);
    asker.ask({ ...all }, 0);
    expect(sent.length).toBe(1);
    const steps = { low: 128, high: 255 };
    asker.ask({ ...all, steps }, 1);
    expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false]);
    expect(sent[1]!.form).toMatchObject({ first_step: 128, last_step: 255, buckets: 448 });
  });
  for (const { answer } of sent) answer(new Response(body()));
  await came;
  expect(told).toEqual([{ low: 128, high: 255 }]);
});

test("points that come more often than answers do not keep these from being drawn, and are asked for once these are there", async () => {
  let told = 0;
  const asker = new Asker(() => (told += 1), () => undefined);
  const answered = async (n: number) => {
    sent[n]!.answer(new Response(body()));
    await vi.waitUntil(() => told === n + 1, { timeout: 60_000, interval: 1 });
  };
  for (let since = 0; since < 4; since += 1) asker.ask(all, since);
  expect(sent.map(({ signal }) => signal.aborted)).toEqual([false]);
  await answered(0);
  expect(sent.length).toBe(2);
  asker.ask(all, 3);
  await answered(1);
  expect(sent.length).toBe(2);
  asker.ask(all, 4);
  expect(sent.length).toBe(3);
}, 60_000);

test("an answer that does not come is not waited for where the points may be others", () => {
  vi.useFakeTimers();
  const asker = new Asker(() => undefined, () => undefined);
  asker.ask(all, 0);
  vi.advanceTimersByTime(10_001);
  asker.ask(all, 1);
  expect(sent.map(({ signal }) => signal.aborted)).toEqual([true, false]);
  vi.useRealTimers();
});

test("a closer answer stands until the next one, where it shows most of what is wanted", () => {
  const answer = { question: { ...all, steps: { low: 100, high: 200 } }, series: [], others: [] };
  const wanted = (low: number, high: number) => shows(answer, { ...all, steps: { low, high } });
  expect([wanted(100, 200), wanted(140, 160), wanted(120, 220)]).toEqual([true, true, true]);
  expect([wanted(50, 250), wanted(300, 400)]).toEqual([false, false]);
  expect(shows(answer, { ...all, metric: "acc", steps: { low: 100, high: 200 } })).toBe(false);
});

test("steps are widened to whole ranges, as many as fit, and stay numbers that a server knows", () => {
  expect(inRanges({ low: 29_200.4, high: 70_800 }, 448)).toEqual({ low: 29_184, high: 70_911 });
  expect(inRanges({ low: -3.5, high: 2.2 }, 448)).toEqual({ low: -4, high: 3 });
  expect(inRanges({ low: 2 ** 62, high: 2 ** 64 }, 4).high).toBeLessThan(2 ** 63);
});
