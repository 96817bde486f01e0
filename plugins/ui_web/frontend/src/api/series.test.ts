// @vitest-environment happy-dom
import { expect, test } from "vitest";
import { decoded } from "./series";

function packed(told: object[], columns: ArrayBufferView[]): ArrayBuffer {
  const head = new TextEncoder().encode(JSON.stringify({ series: told }));
  const parts = [new TextEncoder().encode("DRS1"), new Uint8Array(new Uint32Array([head.length]).buffer), head, ...columns.map((one) => new Uint8Array(one.buffer as ArrayBuffer))];
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole.buffer;
}

test("columns come as they were logged, whatever the length of the head and of numbers", () => {
  const columns = [new BigInt64Array([-3n, 5_000_000_000n]), new BigInt64Array([1_700_000_000_123n, 0n]), new Float64Array([NaN, -Infinity])];
  for (const key of ["a", "ab", "loss 🦉"]) {
    const [one] = decoded(packed([{ run_id: "r", key, count: 2, is_sampled: true }], columns));
    expect(one).toMatchObject({ runId: "r", key, isSampled: true });
    expect([...one!.steps]).toEqual([-3, 5_000_000_000]);
    expect([...one!.times]).toEqual([1_700_000_000_123, 0]);
    expect([...one!.values]).toEqual([NaN, -Infinity]);
  }
});

test("what is no series is refused", () => {
  expect(() => decoded(new ArrayBuffer(16))).toThrow("no series");
});
