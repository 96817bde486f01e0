/**
 * The header of a safetensors file: 8 bytes with its length, then JSON that names each tensor with its type, shape and place in the data.
 * Only the header is read, whatever the size of the file. Nothing in it is trusted; what does not fit the data is told in words.
 *
 * The format: https://github.com/huggingface/safetensors#format
 */

/**
 * @typedef {{ name: string, dtype: string, shape: readonly number[], parameters: number, bytes: number, start: number }} Tensor
 * @typedef {{ tensors: readonly Tensor[], metadata: readonly (readonly [key: string, value: string])[], faults: readonly string[], headerBytes: number }} Header
 * @typedef {{ size: number | null, read: (start: number, end: number) => Promise<Uint8Array> }} Source
 */

/** So much is asked for at first: most headers are shorter, and need no second request. */
const FIRST_BYTES = 1 << 16;
/** The format allows headers of 100 MB; a browser would stand still over one, and none is known of more than some MB. */
export const MOST_BYTES = 32_000_000;
const MOST_FAULTS = 5;

/** Bits of one number of each type. */
const BITS = new Map(
  Object.entries({
    BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E5M2FNUZ: 8, F8_E4M3FNUZ: 8, F4: 4, F6_E2M3: 6, F6_E3M2: 6,
    U16: 16, I16: 16, F16: 16, BF16: 16, U32: 32, I32: 32, F32: 32, U64: 64, I64: 64, F64: 64, C64: 64,
  }),
);

/** A file that has no header which can be shown; the message is for people. */
export class Unreadable extends Error {}

/**
 * @param {Source} file
 * @returns {Promise<Header>}
 */
export async function readHeader(file) {
  const first = await file.read(0, FIRST_BYTES);
  if (first.length < 8) throw new Unreadable(`A safetensors file begins with 8 bytes that tell the length of its header; this one has ${first.length}.`);
  const told = new DataView(first.buffer, first.byteOffset, 8).getBigUint64(0, true);
  const room = file.size === null ? null : file.size - 8;
  if (room !== null && told > BigInt(room)) throw new Unreadable(`The file says that its header has ${told} bytes, but only ${room} follow. It was cut, or is no safetensors file.`);
  if (told > BigInt(MOST_BYTES)) throw new Unreadable(`The file says that its header has ${told} bytes; up to ${MOST_BYTES} are read here. Download it to look into it.`);
  const length = Number(told);
  const whole = 8 + length <= first.length ? first.subarray(8, 8 + length) : await file.read(8, 8 + length);
  if (whole.length < length) throw new Unreadable(`The header ends after ${whole.length} of ${length} bytes. The file was cut.`);
  return parsed(textOf(whole), length, room === null ? null : room - length);
}

/** @param {Uint8Array} bytes */
function textOf(bytes) {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new Unreadable("The header is no text in UTF-8. This is no safetensors file, or it is damaged.");
  }
}

/**
 * @param {string} text
 * @param {number} headerBytes
 * @param {number | null} dataBytes what follows the header, where that is known
 * @returns {Header}
 */
function parsed(text, headerBytes, dataBytes) {
  let form;
  try {
    form = JSON.parse(text);
  } catch (fault) {
    throw new Unreadable(`The header is no JSON: ${fault instanceof Error ? fault.message.slice(0, 200) : "it cannot be read"}. This is no safetensors file, or it is damaged.`);
  }
  if (!isObject(form)) throw new Unreadable("The header is no JSON object that names tensors. This is no safetensors file, or it is damaged.");
  /** @type {string[]} */
  const faults = [];
  /** @type {Tensor[]} */
  const tensors = [];
  for (const [name, value] of Object.entries(form)) {
    if (name === "__metadata__") continue;
    const tensor = tensorOf(name, value);
    if (typeof tensor === "string") faults.push(`${shortened(name)}: ${tensor}`);
    else tensors.push(tensor);
  }
  faults.push(...misplaced(tensors, faults.length > 0 ? null : dataBytes));
  const shown = faults.length > MOST_FAULTS ? [...faults.slice(0, MOST_FAULTS), `… and ${faults.length - MOST_FAULTS} more`] : faults;
  return { tensors, metadata: metadataOf(form["__metadata__"], shown), faults: shown, headerBytes };
}

/**
 * @param {string} name
 * @param {unknown} value
 * @returns {Tensor | string} a fault in words where it is none
 */
function tensorOf(name, value) {
  if (!isObject(value)) return "is no object with dtype, shape and data_offsets";
  const { dtype, shape, data_offsets: offsets } = value;
  if (typeof dtype !== "string") return "has no dtype";
  if (!Array.isArray(shape) || !shape.every(isCount)) return "has no shape of whole numbers";
  const [start, end] = Array.isArray(offsets) && offsets.length === 2 ? offsets : [];
  if (!isCount(start) || !isCount(end) || start > end) return "has no data_offsets from a start to an end";
  const parameters = shape.reduce((product, size) => product * size, 1);
  if (!Number.isSafeInteger(parameters)) return "has a shape of more numbers than there can be";
  const bits = BITS.get(dtype);
  if (bits !== undefined && parameters * bits !== (end - start) * 8) return `${parameters} numbers of ${dtype} need ${Math.ceil((parameters * bits) / 8)} bytes, and it has ${end - start}`;
  return { name, dtype, shape, parameters, bytes: end - start, start };
}

/**
 * Faults of tensors that do not lie one after the other and fill the data.
 *
 * @param {readonly Tensor[]} tensors
 * @param {number | null} dataBytes
 */
function misplaced(tensors, dataBytes) {
  const faults = [];
  let at = 0;
  for (const one of [...tensors].sort((left, right) => left.start - right.start || left.bytes - right.bytes)) {
    if (one.start < at) faults.push(`${shortened(one.name)}: begins at byte ${one.start} of the data, inside of another tensor`);
    else if (one.start > at && dataBytes !== null) faults.push(`${shortened(one.name)}: begins at byte ${one.start} of the data, and nothing lies in the ${one.start - at} bytes before it`);
    at = Math.max(at, one.start + one.bytes);
  }
  if (dataBytes !== null && at !== dataBytes) faults.push(`the tensors end at byte ${at} of the data, and the file has ${dataBytes}`);
  return faults;
}

/**
 * @param {unknown} value
 * @param {string[]} faults
 * @returns {readonly (readonly [string, string])[]}
 */
function metadataOf(value, faults) {
  if (value === undefined) return [];
  if (!isObject(value)) {
    faults.push("__metadata__ is no object of texts");
    return [];
  }
  return Object.entries(value).map(([key, text]) => [key, typeof text === "string" ? text : JSON.stringify(text)]);
}

/** @param {unknown} value @returns {value is Record<string, unknown>} */
function isObject(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @param {unknown} value @returns {value is number} */
function isCount(value) {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** @param {string} name */
function shortened(name) {
  return name.length > 80 ? `${name.slice(0, 80)}…` : name || "(no name)";
}
