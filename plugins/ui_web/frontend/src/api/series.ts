/** Series of metrics from the server, thinned there for a width: columns of numbers as they lie in the answer, no object for each point. */
import { postForBytes } from "./http";

/** Points of one metric of one run, by step. `isSampled` means that each range of `width` steps is told by its lowest, highest and last point. */
export interface Series {
  readonly runId: string;
  readonly key: string;
  readonly steps: Float64Array;
  /** Milliseconds since 1970. */
  readonly times: Float64Array;
  readonly values: Float64Array;
  readonly isSampled: boolean;
}

export interface SeriesQuestion {
  readonly runIds: readonly string[];
  readonly keys: readonly string[];
  /** At most so many ranges of steps; undefined for every point. */
  readonly buckets?: number | undefined;
  readonly firstStep?: number | undefined;
  readonly lastStep?: number | undefined;
}

interface Head {
  readonly series: readonly { readonly run_id: string; readonly key: string; readonly count: number; readonly is_sampled: boolean }[];
}

const MAGIC = 0x31535244; // "DRS1"
const WIDE = 8;
const UPPER = 2 ** 32;
const IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Ask for series; runs without points in the range are left out. */
export async function readSeries(asked: SeriesQuestion, signal?: AbortSignal): Promise<readonly Series[]> {
  const form = { run_ids: asked.runIds, keys: asked.keys, buckets: asked.buckets, first_step: asked.firstStep, last_step: asked.lastStep };
  return decoded(await postForBytes("ajax-api/2.0/drupe/series", form, signal));
}

/** The series in such bytes. Throws where they are none. */
export function decoded(body: ArrayBuffer): readonly Series[] {
  const view = new DataView(body);
  if (body.byteLength < WIDE || view.getUint32(0, true) !== MAGIC) throw new Error("The answer holds no series");
  const headBytes = view.getUint32(4, true);
  const head = JSON.parse(new TextDecoder().decode(new Uint8Array(body, WIDE, headBytes))) as Head;
  let at = WIDE + headBytes;
  const next = (count: number) => {
    const column = body.slice(at, at + count * WIDE); // copied, since columns of numbers must begin at a multiple of eight
    at += count * WIDE;
    return column;
  };
  return head.series.map(({ run_id, key, count, is_sampled }) => ({
    runId: run_id,
    key,
    steps: wholeNumbers(next(count)),
    times: wholeNumbers(next(count)),
    values: fractions(next(count)),
    isSampled: is_sampled,
  }));
}

/** 64-bit integers as the nearest numbers that there are here: exact up to 2^53. */
function wholeNumbers(column: ArrayBuffer): Float64Array {
  const view = new DataView(column);
  const numbers = new Float64Array(column.byteLength / WIDE);
  for (let n = 0; n < numbers.length; n += 1) numbers[n] = view.getInt32(n * WIDE + 4, true) * UPPER + view.getUint32(n * WIDE, true);
  return numbers;
}

function fractions(column: ArrayBuffer): Float64Array {
  if (IS_LITTLE) return new Float64Array(column);
  const view = new DataView(column);
  return Float64Array.from({ length: column.byteLength / WIDE }, (_, n) => view.getFloat64(n * WIDE, true));
}
