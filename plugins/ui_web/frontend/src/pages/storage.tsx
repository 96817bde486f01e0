/** What is kept, by experiment and among the artifacts: measured when somebody asks, since a large store takes a while. */
import { useSignalEffect } from "@preact/signals";
import { useAsked } from "../api/asking";
import { get, post } from "../api/http";
import { address, to } from "../app/router";
import { Refusal, useActing } from "../parts/acting";
import { Fault } from "../parts/states";
import { When } from "../parts/time";
import { bytes, count, counted } from "../values/numbers";

interface Told {
  readonly state: "never" | "running" | "done" | "failed";
  readonly ended: number | null;
  readonly experiments: number;
  readonly looked_at: number;
  /** False where the store does not tell what it keeps of an experiment. */
  readonly is_told: boolean;
  readonly kept: readonly { readonly experiment_id: string; readonly name: string; readonly runs: number; readonly points: number | null; readonly point_bytes: number | null }[];
  readonly artifacts: { readonly files: number; readonly bytes: number; readonly is_whole: boolean } | null;
  readonly reason: string;
}

const LOOK_MS = 700;

export function Storage() {
  const { asked, again } = useAsked((signal) => get<Told>("api/drupe/ui/storage", {}, signal));
  useSignalEffect(() => {
    if (asked.value.value?.state !== "running" || asked.value.isWaiting) return;
    const timer = setTimeout(again, LOOK_MS);
    return () => clearTimeout(timer);
  });
  const { act, refusal } = useActing();
  const { value, fault } = asked.value;
  const isRunning = value?.state === "running";
  const files = value?.artifacts;
  return (
    <section class="block" aria-labelledby="storage-title">
      <header class="block-head">
        <h2 id="storage-title">Storage</h2>
        <button type="button" class="button" disabled={!value || isRunning} onClick={() => void act(() => post("api/drupe/ui/storage/measure", {}), again)}>
          Measure
        </button>
        <span class="soft" role="status">
          {isRunning && (files ? `${counted(files.files, "file")} so far` : `${count(value.looked_at)} of ${counted(value.experiments, "experiment")}`)}
          {value?.state === "done" && (
            <>
              Measured <When ms={value.ended} />
            </>
          )}
        </span>
      </header>
      {fault && <Fault fault={fault} again={again} />}
      <Refusal text={refusal.value} />
      {value?.reason && <p class="bad">{value.reason}</p>}
      {value?.state === "never" && <p class="soft">What experiments and artifacts take; large stores take a while.</p>}
      {value?.is_told === false && <p class="soft">A store of this kind does not tell what its experiments take.</p>}
      {files && (
        <p>
          Artifacts: {files.is_whole ? "" : "at least "}
          {bytes(files.bytes)} in {counted(files.files, "file")}
        </p>
      )}
      {value && value.kept.length > 0 && (
        <div class="card scrolls" tabIndex={0} role="group" aria-labelledby="storage-title">
          <table class="plain-table">
            <thead>
              <tr>
                <th scope="col">Experiment</th>
                {["Runs", "Points", "Size of points"].map((title) => (
                  <th key={title} scope="col" class="number">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {value.kept.map((one) => (
                <tr key={one.experiment_id}>
                  <td class="text">
                    <a href={address(to("experiments", one.experiment_id))}>
                      <bdi>{one.name}</bdi>
                    </a>
                  </td>
                  <td class="number">{count(one.runs)}</td>
                  <td class="number">{one.points === null ? "–" : count(one.points)}</td>
                  <td class="number">{one.point_bytes === null ? "–" : bytes(one.point_bytes)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
