/** A moment: how long ago, with the exact time on hover and for machines. */
import { ago, machineTime, time } from "../values/times";

export function When({ ms, exact = false }: { ms: number | null | undefined; exact?: boolean }) {
  if (ms === null || ms === undefined) return <span class="soft">–</span>;
  return (
    <time dateTime={machineTime(ms)} title={time(ms)}>
      {exact ? time(ms) : ago(ms)}
    </time>
  );
}
