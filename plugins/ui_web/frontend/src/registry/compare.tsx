/** Two versions side by side: what differs is marked, and what is the same can be left out. Which other one is in the address. */
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { useQuery } from "../app/query";
import { address, setQuery, to } from "../app/router";
import { Empty, Fault, Waiting } from "../parts/states";
import { counted } from "../values/numbers";
import { findVersions } from "./answer";

interface Row {
  readonly section: string;
  readonly key: string;
  readonly values: readonly [string | null, string | null];
  readonly differs: boolean;
}

interface Answer {
  readonly rows: readonly Row[];
  readonly is_cut: boolean;
  readonly faults: readonly string[];
}

export function CompareVersions({ name, version }: { name: string; version: string }) {
  const chosen = useQuery("with");
  const same = useQuery("same");
  const others = useAsked((signal) => findVersions(name, undefined, signal, 1000));
  const found = others.asked.value.value?.items.filter((one) => one.version !== version) ?? [];
  const other = chosen.value || found[0]?.version || "";
  if (others.asked.value.fault) return <Fault fault={others.asked.value.fault} again={others.again} />;
  if (!others.asked.value.value) return <Waiting what="versions" height={320} />;
  if (!other)
    return (
      <Empty title="Nothing to compare with">
        <p>This is the only version of {name}.</p>
      </Empty>
    );
  return (
    <div class="stack">
      <div class="row">
        <label class="row whole">
          Version {version} with
          <select class="field" value={other} onChange={(event) => setQuery({ with: event.currentTarget.value })}>
            {found.map((one) => (
              <option key={one.version} value={one.version}>
                version {one.version}
                {one.current_stage === "None" ? "" : ` (${one.current_stage})`}
              </option>
            ))}
          </select>
        </label>
        <label class="row whole">
          <input type="checkbox" checked={same.value === "no"} onChange={(event) => setQuery({ same: event.currentTarget.checked ? "no" : undefined })} />
          Only what differs
        </label>
      </div>
      <Differences key={other} name={name} version={version} other={other} onlyDiffering={same.value === "no"} />
    </div>
  );
}

function Differences({ name, version, other, onlyDiffering }: { name: string; version: string; other: string; onlyDiffering: boolean }) {
  const { asked, again } = useAsked((signal) => get<Answer>("api/drupe/ui/differences", { name, version, with_name: name, with_version: other }, signal));
  const { value, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="differences" height={480} />;
  const rows = onlyDiffering ? value.rows.filter((row) => row.differs) : value.rows;
  const sections = [...new Set(rows.map((row) => row.section))];
  const count = value.rows.filter((row) => row.differs).length;
  return (
    <div class="stack">
      {value.faults.filter(Boolean).map((text, at) => (
        <p class="banner" key={at}>
          {text}
        </p>
      ))}
      <p class="soft" role="status">
        {count === 0 ? "They do not differ in params, metrics, signature, flavors, environment, tags or metadata." : `${counted(count, "row")} of ${value.rows.length} ${count === 1 ? "differs" : "differ"}.`}
        {value.is_cut && " There are more rows than are shown."}
      </p>
      {rows.length > 0 && (
        <div class="card scrolls" tabIndex={0} role="group" aria-label="Differences">
          <table class="plain-table compare">
            <thead>
              <tr>
                <th scope="col">
                  <span class="for-readers">Differs</span>
                </th>
                <th scope="col">Name</th>
                <th scope="col">Version {version}</th>
                <th scope="col">
                  <a href={address(to("models", name, other))}>Version {other}</a>
                </th>
              </tr>
            </thead>
            {sections.map((section) => (
              <tbody key={section}>
                <tr class="compare-section">
                  <th scope="rowgroup" colSpan={4}>
                    {section}
                  </th>
                </tr>
                {rows
                  .filter((row) => row.section === section)
                  .map((row) => (
                    <tr key={row.key} class={row.differs ? "differs" : ""}>
                      <td>{row.differs ? <span title="differs">≠</span> : ""}</td>
                      <th scope="row" class="name">
                        {row.key}
                      </th>
                      {row.values.map((text, at) => (
                        <td key={at} class={`text${section === "metrics" ? " figure" : ""}`} dir="auto">
                          {text === null ? <span class="soft">–</span> : text.length > 300 ? <span title={text}>{text.slice(0, 300)}…</span> : text}
                        </td>
                      ))}
                    </tr>
                  ))}
              </tbody>
            ))}
          </table>
        </div>
      )}
    </div>
  );
}
