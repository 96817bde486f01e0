/** Numbers as people read them in tables: few digits, equal widths, no surprises for tiny, huge and missing ones. */

/** A metric's value with at most six significant digits; `NaN`, `∞` and `−∞` as such. */
export function shortNumber(value: number): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e7 || size < 1e-4 ? trimmed(value.toExponential(3)) : trimmed(value.toPrecision(6));
  return text.replaceAll("-", "−").replace("e+", "e");
}

/** Whole numbers with spaces between thousands. */
export function count(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, " ");
}

/** `1 run`, `2 runs`. */
export function counted(value: number, noun: string, plural = `${noun}s`): string {
  return `${count(value)} ${value === 1 ? noun : plural}`;
}

/** Sizes in powers of 1000, as file managers tell them. */
export function bytes(size: number): string {
  if (size < 1000) return `${size} B`;
  const rounded = Number(size.toPrecision(3)); // first, or 999 950 would have a unit too small for it
  const unit = Math.min(Math.floor(Math.log10(rounded) / 3), 5);
  return `${trimmed((rounded / 1000 ** unit).toPrecision(3))} ${["B", "kB", "MB", "GB", "TB", "PB"][unit]}`;
}

/** Without zeros at the end of a fraction. */
function trimmed(text: string): string {
  const [digits = "", power] = text.split("e");
  return (digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits) + (power === undefined ? "" : `e${power}`);
}
