/** How the server is doing: what it is, its store, what waits for that, and what was left out. */
import { useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { address, to } from "../app/router";
import { useTitle } from "../app/title";
import { Fault, Waiting } from "../parts/states";
import { When } from "../parts/time";
import { bytes, count, counted } from "../values/numbers";
import { duration } from "../values/times";
import { Storage } from "./storage";
import "../styles/pages.css";
import "../styles/installation.css";

const REFRESH_MS = 10_000;
/** Of another server, say: what it keeps and how is for its own page. */
const UNTOLD = "not told by a store of this kind";

interface Answer {
  readonly version: string;
  readonly python: string;
  readonly platform: string;
  readonly process: number;
  readonly started: number;
  readonly uptime_ms: number;
  readonly memory_bytes: number | null;
  readonly store: {
    readonly address: string;
    readonly kind: string;
    readonly registry: string;
    readonly features: Readonly<Record<string, string>>;
    readonly size_bytes: number | null;
    readonly schema: number | null;
    readonly experiments: number;
    readonly runs: number;
    readonly runs_running: number;
    readonly runs_deleted: number;
  };
  readonly disk: { readonly total_bytes: number; readonly free_bytes: number } | null;
  readonly waiting: readonly { readonly run_id: string; readonly bytes: number; readonly files: number; readonly is_alive: boolean; readonly since: number | null; readonly reason: string | null }[];
  readonly left_out: readonly { readonly what: string; readonly key: string; readonly plugin: string; readonly reason: string }[];
}

export default function SystemPage() {
  useTitle("System");
  const { asked, again } = useAsked((signal) => get<Answer>("api/drupe/ui/system", {}, signal));
  useSignalEffect(() => {
    const timer = setInterval(() => document.hidden || again(), REFRESH_MS);
    return () => clearInterval(timer);
  });
  const { value, fault } = asked.value;
  return (
    <div class="page">
      <div class="page-head">
        <h1>System</h1>
      </div>
      {fault && <Fault fault={fault} again={again} />}
      {!value ? !fault && <Waiting what="the state of the server" height={480} /> : <Told told={value} />}
    </div>
  );
}

function Told({ told }: { told: Answer }) {
  const { store, disk } = told;
  return (
    <>
      {told.left_out.length > 0 && (
        <section class="block" aria-labelledby="left-out-title">
          <header class="block-head">
            <h2 id="left-out-title">Left out</h2>
            <span class="count">{count(told.left_out.length)}</span>
          </header>
          <ul class="links">
            {told.left_out.map((one) => (
              <li key={`${one.what} ${one.plugin} ${one.key}`}>
                <span class="row">
                  <strong>{one.plugin}</strong> <span class="soft">{one.what}</span> <code>{one.key}</code>
                </span>
                <span class="bad">{one.reason}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
      <div class="columns-even">
        <Facts title="Server">
          <Fact name="drupe" value={told.version} />
          <Fact name="Running for" value={duration(told.uptime_ms)} />
          <dt>Started</dt>
          <dd>
            <When ms={told.started} exact />
          </dd>
          <Fact name="Memory" value={told.memory_bytes === null ? "not known" : bytes(told.memory_bytes)} />
          <Fact name="Python" value={told.python} />
          <Fact name="Machine" value={told.platform} />
          <Fact name="Process" value={String(told.process)} />
        </Facts>
        <Facts title="Store">
          <Fact name="Address" value={store.address} />
          <Fact name="Kind" value={store.kind === store.registry ? store.kind : `${store.kind}, ${store.registry}`} />
          <Fact name="Size" value={store.size_bytes === null ? UNTOLD : bytes(store.size_bytes)} />
          <Fact name="Schema" value={store.schema === null ? UNTOLD : `version ${store.schema}`} />
          <Fact name="Experiments" value={count(store.experiments)} />
          <Fact name="Runs" value={`${count(store.runs)}${store.runs_running ? `, ${count(store.runs_running)} running` : ""}${store.runs_deleted ? `, ${count(store.runs_deleted)} in the trash` : ""}`} />
          {disk && <Fact name="Disk of artifacts" value={`${bytes(disk.free_bytes)} free of ${bytes(disk.total_bytes)}`} />}
          <Fact name="Can" value={Object.entries(store.features).filter(([, support]) => support !== "cannot").map(([name, support]) => name.replaceAll("_", " ") + (support === "full" ? "" : ` (${support})`)).join(", ")} />
        </Facts>
      </div>
      <Storage />
      <section class="block" aria-labelledby="waiting-title">
        <header class="block-head">
          <h2 id="waiting-title">Waiting for the store</h2>
          <span class="count">{count(told.waiting.length)}</span>
        </header>
        {told.waiting.length === 0 ? (
          <p class="soft">Everything that programs of this machine have logged is in the store.</p>
        ) : (
          <>
            <div class="card scrolls" tabIndex={0} role="group" aria-labelledby="waiting-title">
              <table class="plain-table">
                <thead>
                  <tr>
                    <th scope="col">Run</th>
                    <th scope="col" class="number">
                      Waiting
                    </th>
                    <th scope="col" class="number">
                      Files
                    </th>
                    <th scope="col">Program</th>
                    <th scope="col">Since</th>
                    <th scope="col">Why</th>
                  </tr>
                </thead>
                <tbody>
                  {told.waiting.map((one) => (
                    <tr key={one.run_id}>
                      <td>
                        <a href={address(to("runs", one.run_id))}>
                          <code>{one.run_id.slice(0, 12)}</code>
                        </a>
                      </td>
                      <td class="number">{bytes(one.bytes)}</td>
                      <td class="number">{count(one.files)}</td>
                      <td>{one.is_alive ? "running" : "gone"}</td>
                      <td>
                        <When ms={one.since} />
                      </td>
                      <td class="text">{one.reason ?? ""}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
            {told.waiting.some((one) => !one.is_alive) && (
              <p class="soft">
                What programs left behind that are gone, {counted(told.waiting.filter((one) => !one.is_alive).length, "run")}, is brought by <code>drupe sync</code>.
              </p>
            )}
          </>
        )}
      </section>
    </>
  );
}

function Facts({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="block">
      <header class="block-head">
        <h2>{title}</h2>
      </header>
      <dl class="facts card installation-facts">{children}</dl>
    </section>
  );
}

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  );
}
