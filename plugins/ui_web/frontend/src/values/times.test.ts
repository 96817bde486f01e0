import { expect, test } from "vitest";
import { ago, duration, machineTime, time } from "./times";

const NOW = new Date(2026, 10, 27, 14, 5, 9).getTime();

test("durations have two units at most", () => {
  expect([-5, 0, 830, 12_340, 59_999, 60_000, 245_000, 11_220_000, 187_200_000].map(duration)).toEqual([
    "0 ms", "0 ms", "830 ms", "12.3 s", "59.9 s", "1 min 00 s", "4 min 05 s", "3 h 07 min", "2 d 04 h",
  ]);
});

test("moments are told from now, and later by their day", () => {
  expect([0, 59_000, 300_000, 3 * 3_600_000, 12 * 86_400_000, 40 * 86_400_000].map((past) => ago(NOW - past, NOW))).toEqual([
    "just now", "just now", "5 min ago", "3 h ago", "12 d ago", "2026-10-18",
  ]);
  expect(time(NOW)).toBe("2026-11-27 14:05:09");
});

test("a time that no calendar has is told as it is, wherever one is shown", () => {
  const never = 2 ** 62;
  expect([time(never), ago(-never, NOW), machineTime(never), machineTime(0)]).toEqual([String(never), String(-never), String(never), "1970-01-01T00:00:00.000Z"]);
});
