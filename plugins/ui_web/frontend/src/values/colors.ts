/** The colour of a run: the same wherever it is shown, until a person chooses another, which the address then says. */
import { signal } from "@preact/signals";

export const SERIES = 10;

/** The numbers that runs were given beside others, for as long as the page is open. */
const given = signal<ReadonlyMap<string, number>>(new Map());

/** The number of a run's colour, from 1 to `SERIES`. `chosen` is what `colorsIn` read from the address. */
export function colorNumber(runId: string, chosen?: ReadonlyMap<string, number>): number {
  return chosen?.get(runId) ?? given.value.get(runId) ?? ownNumber(runId);
}

/** Have runs keep the numbers that `apart` gave them, wherever they are shown from now on. */
export function keepColors(numbers: ReadonlyMap<string, number>): void {
  const before = given.peek();
  if ([...numbers].some(([run, number]) => before.get(run) !== number)) given.value = new Map([...before, ...numbers]);
}

function ownNumber(runId: string): number {
  let sum = 7;
  for (let n = 0; n < runId.length; n += 1) sum = (Math.imul(sum, 31) + runId.charCodeAt(n)) >>> 0;
  // 31 is 1 more than a multiple of 10, so without a stir (MurmurHash3's last step) alike ids would get alike colours
  sum = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  sum = Math.imul(sum ^ (sum >>> 13), 0xc2b2ae35);
  return (((sum ^ (sum >>> 16)) >>> 0) % SERIES) + 1;
}

/** The numbers of the colours of runs that are drawn together: each its own, unless more of them have it than need to; up to `SERIES` runs all differ. */
export function apart(runIds: readonly string[], chosen: ReadonlyMap<string, number>): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  const uses = Array.from({ length: SERIES + 1 }, () => 0);
  const give = (runId: string, number: number) => (found.set(runId, number), (uses[number]! += 1));
  for (const runId of runIds) if (chosen.has(runId)) give(runId, colorNumber(runId, chosen));
  for (const runId of runIds) {
    if (found.has(runId)) continue;
    const least = Math.min(...uses.slice(1));
    let number = colorNumber(runId);
    while (uses[number]! > least) number = (number % SERIES) + 1;
    give(runId, number);
  }
  return found;
}

/** What an address says in `color=`: `run:3,run:5`. Anything else in it is passed over. */
export function colorsIn(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const part of text.split(",")) {
    const [run, number] = part.split(":");
    const chosen = Number(number);
    if (run && Number.isInteger(chosen) && chosen >= 1 && chosen <= SERIES) found.set(run, chosen);
  }
  return found;
}

/** The opposite of `colorsIn`. */
export function colorsText(chosen: ReadonlyMap<string, number>): string {
  return [...chosen].map(([run, number]) => `${run}:${number}`).join(",");
}
