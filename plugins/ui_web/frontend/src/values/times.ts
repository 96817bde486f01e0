/** Times and durations as people read them. All times are milliseconds since 1970, as the server tells them. */

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How long: `830 ms`, `12.3 s`, `4 min 05 s`, `3 h 07 min`, `2 d 04 h`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ${two((ms % MINUTE) / 1000)} s`;
  if (ms < DAY) return `${Math.floor(ms / HOUR)} h ${two((ms % HOUR) / MINUTE)} min`;
  return `${Math.floor(ms / DAY)} d ${two((ms % DAY) / HOUR)} h`;
}

/** How long ago, roughly: `just now`, `5 min ago`, `3 h ago`, `12 d ago`, then the date. */
export function ago(ms: number, now: number = Date.now()): string {
  const past = now - ms;
  if (past < MINUTE) return "just now";
  if (past < HOUR) return `${Math.floor(past / MINUTE)} min ago`;
  if (past < DAY) return `${Math.floor(past / HOUR)} h ago`;
  if (past < 30 * DAY) return `${Math.floor(past / DAY)} d ago`;
  return day(ms);
}

/** `2026-11-27 14:05:09`, in the reader's time zone. */
export function time(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return machineTime(ms);
  return `${day(ms)} ${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

/** `2026-11-27`, in the reader's time zone. */
function day(ms: number): string {
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return machineTime(ms);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
}

/** `2026-11-27T13:05:09.000Z`; the number itself, as a text, where no calendar reaches. */
export function machineTime(ms: number): string {
  const at = new Date(ms);
  return Number.isNaN(at.getTime()) ? String(ms) : at.toISOString();
}

function two(value: number): string {
  return String(Math.floor(value)).padStart(2, "0");
}
