/** The state of a run, a model or a version, as a word with a colour. */

const LOOK: Record<string, readonly [look: string, word: string]> = {
  RUNNING: ["busy", "Running"],
  SCHEDULED: ["", "Scheduled"],
  FINISHED: ["good", "Finished"],
  FAILED: ["bad", "Failed"],
  KILLED: ["warn", "Killed"],
  READY: ["good", "Ready"],
  PENDING: ["busy", "Pending"],
  PENDING_REGISTRATION: ["busy", "Pending"],
  FAILED_REGISTRATION: ["bad", "Failed"],
  active: ["good", "Active"],
  disabled: ["", "Disabled"],
  refused: ["warn", "Refused"],
  broken: ["bad", "Broken"],
};

/** A badge; words that are not known are shown as they are. */
export function Status({ value }: { value: string }) {
  const [look, word] = LOOK[value] ?? ["", value];
  return <span class={`badge ${look}`}>{word}</span>;
}
