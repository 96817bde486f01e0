/** What was thrown, whatever it is, as an error and in words. */

export function asError(problem: unknown): Error {
  return problem instanceof Error ? problem : new Error(String(problem));
}

export function inWords(problem: unknown): string {
  return asError(problem).message;
}
