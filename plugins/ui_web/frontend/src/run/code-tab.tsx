/** What code ran, and where: commit, branch, uncommitted changes, command, Python, machine and packages. */
import { useAsked } from "../api/asking";
import { getText } from "../api/http";
import { bytesPath, listFolder } from "../artifacts/files";
import { Copy } from "../parts/copy";
import { Empty, Fault, Waiting } from "../parts/states";
import { bytes, count, counted } from "../values/numbers";
import { Text } from "../viewers/text";
import type { RunTabProps } from "../pages/run";
import { tagOf, type Run } from "./answer";
import { Diff } from "./diff";
import "../styles/artifacts.css";

const FOLDER = "environment";
const MOST = 1_100_000;

interface Kept {
  readonly environment: Record<string, unknown>;
  readonly requirements: string;
  readonly diff: string;
}

async function readKept(runId: string, signal: AbortSignal): Promise<Kept> {
  const listing = await listFolder({ run_id: runId }, FOLDER, signal);
  const read = async (name: string) =>
    listing.files.some((file) => file.path === `${FOLDER}/${name}`) ? (await getText(bytesPath(listing.address, `${FOLDER}/${name}`), {}, MOST, signal)).text : "";
  const [environment, requirements, diff] = await Promise.all(["environment.json", "requirements.txt", "uncommitted.diff"].map(read));
  return { environment: parsed(environment ?? ""), requirements: requirements ?? "", diff: diff ?? "" };
}

export function CodeTab({ told }: RunTabProps) {
  const { run } = told;
  const { asked, again } = useAsked((signal) => readKept(run.info.run_id, signal));
  const { value, fault } = asked.value;
  if (!value && !fault) return <Waiting what="code and environment" height={480} />;
  const facts = [...factsOfTags(run), ...(value ? factsOfEnvironment(value.environment) : [])];
  if (!fault && facts.length === 0 && !value?.requirements)
    return (
      <Empty title="Nothing is known of the code">
        <p>Runs keep their commit, command and packages when they are started in a script or notebook with drupe.</p>
      </Empty>
    );
  return (
    <div class="stack wide">
      {fault && <Fault fault={fault} again={again} />}
      <dl class="facts">
        {facts.map(([label, text]) => (
          <>
            <dt key={label}>{label}</dt>
            <dd>
              {label === "Commit" || label === "Command" ? (
                <span class="row whole">
                  <code>{text}</code>
                  <Copy text={text} label={`Copy: ${label}`} />
                </span>
              ) : (
                text
              )}
            </dd>
          </>
        ))}
      </dl>
      {value?.diff && (
        <section class="block" aria-labelledby="diff-title">
          <header class="block-head">
            <h2 id="diff-title">Uncommitted changes</h2>
          </header>
          <Diff text={value.diff} />
        </section>
      )}
      {value?.requirements && (
        <section class="block" aria-labelledby="packages-title">
          <header class="block-head">
            <h2 id="packages-title">Packages</h2>
            <span class="count">{count(value.requirements.trim().split("\n").length)}</span>
            <Copy text={value.requirements} label="Copy the list of packages" />
          </header>
          <Text text={value.requirements} name="requirements.txt" />
        </section>
      )}
    </div>
  );
}

function factsOfTags(run: Run): [string, string][] {
  const told: [string, string][] = [
    ["Commit", tagOf(run, "mlflow.source.git.commit")],
    ["Branch", tagOf(run, "mlflow.source.git.branch")],
    ["Remote", tagOf(run, "mlflow.source.git.repoURL")],
    ["Source", tagOf(run, "mlflow.source.name")],
    ["Kind of source", tagOf(run, "mlflow.source.type").toLowerCase()],
    ["Entry point", tagOf(run, "mlflow.project.entryPoint")],
  ];
  return told.filter(([, text]) => text);
}

function factsOfEnvironment(told: Record<string, unknown>): [string, string][] {
  const python = record(told["python"]);
  const platform = record(told["platform"]);
  const git = record(told["git"]);
  const command = Array.isArray(told["command"]) ? told["command"].map(String).join(" ") : "";
  const untracked = typeof git["untracked_count"] === "number" ? counted(git["untracked_count"], "file") : "";
  const gpus = Array.isArray(told["gpu"]) ? told["gpu"].map((one) => words(record(one))).join("; ") : words(record(told["gpu"]));
  const facts: [string, string][] = [
    ["Not committed", git["is_dirty"] === true ? "there are changes, see below" : git["is_dirty"] === false ? "nothing" : ""],
    ["Not tracked", untracked],
    ["Command", command],
    ["Folder", text(told["working_folder"])],
    ["Python", [text(python["implementation"]), text(python["version"]), text(python["environment"])].filter(Boolean).join(" ")],
    ["Machine", words(platform)],
    ["GPU", gpus],
    ["Container", words(record(told["container"]))],
    ["Variables", words(record(told["variables"]))],
  ];
  return facts.filter(([, shown]) => shown);
}

function words(told: Record<string, unknown>): string {
  return Object.entries(told)
    .map(([name, value]) => (name.endsWith("_bytes") && typeof value === "number" ? `${spaced(name.slice(0, -"_bytes".length))}: ${bytes(value)}` : `${spaced(name)}: ${text(value)}`))
    .join(" · ");
}

function spaced(name: string): string {
  return name.replaceAll("_", " ");
}

function text(value: unknown): string {
  return value === undefined || value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value);
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : {};
}

function parsed(content: string): Record<string, unknown> {
  try {
    return record(JSON.parse(content || "{}"));
  } catch {
    return {};
  }
}
