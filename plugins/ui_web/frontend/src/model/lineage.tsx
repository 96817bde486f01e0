/** Where something comes from and what became of it: data, run, models, versions from left to right, and the same as a table. */
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { useInSight } from "../app/in-sight";
import { address, to } from "../app/router";
import { useRef } from "preact/hooks";
import type { Subject } from "../artifacts/files";
import { Empty, Fault, Waiting } from "../parts/states";

type Kind = "dataset" | "run" | "model" | "version";

interface Thing {
  readonly id: string;
  readonly kind: Kind;
  readonly title: string;
  readonly note: string;
  /** Parts of the path of its page; none where it has no page. */
  readonly path: readonly string[];
  readonly is_here: boolean;
  readonly column: number;
}

interface Answer {
  readonly things: readonly Thing[];
  readonly ties: readonly (readonly [from: string, to: string])[];
  readonly is_cut: boolean;
}

const WORDS: Record<Kind, string> = { dataset: "Dataset", run: "Run", model: "Model", version: "Version" };
const BOX = { width: 200, height: 46, across: 70, down: 14, edge: 16 };

export function Lineage({ subject }: { subject: Subject }) {
  const { asked, again } = useAsked((signal) => get<Answer>("api/drupe/ui/lineage", { ...subject }, signal));
  const { value, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="the lineage" height={320} />;
  if (value.ties.length === 0)
    return (
      <Empty title="No ties">
        <p>Data that is logged with log_input and models that are logged with log_model show here.</p>
      </Empty>
    );
  return (
    <div class="stack wide">
      {value.is_cut && <p class="banner">There is more than is drawn here.</p>}
      <Graph {...value} />
      <TiesTable {...value} />
    </div>
  );
}

function hrefOf(thing: Thing): string | undefined {
  const [first, ...rest] = thing.path;
  return first === undefined ? undefined : address(to(first, ...rest));
}

function Graph({ things, ties }: Answer) {
  const columns = new Map<number, Thing[]>();
  for (const thing of things) columns.set(thing.column, [...(columns.get(thing.column) ?? []), thing]);
  const used = [...columns.keys()].sort((one, other) => one - other);
  const tallest = Math.max(...[...columns.values()].map((column) => column.length));
  const height = 2 * BOX.edge + tallest * (BOX.height + BOX.down) - BOX.down;
  const width = 2 * BOX.edge + used.length * (BOX.width + BOX.across) - BOX.across;
  const at = new Map<string, { x: number; y: number }>();
  used.forEach((key, index) => {
    const column = columns.get(key) ?? [];
    const space = (height - column.length * (BOX.height + BOX.down) + BOX.down) / 2;
    column.forEach((thing, row) => at.set(thing.id, { x: BOX.edge + index * (BOX.width + BOX.across), y: space + row * (BOX.height + BOX.down) }));
  });
  const box = useRef<HTMLDivElement>(null);
  useInSight(box, ".here", things.find((thing) => thing.is_here)?.id ?? "");
  return (
    <div ref={box} class="lineage" tabIndex={0} role="group" aria-label="Lineage as a picture; the table below says the same">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`}>
        {ties.map(([from, into]) => {
          const start = at.get(from);
          const end = at.get(into);
          if (!start || !end) return null;
          const [x1, y1, x2, y2] = [start.x + BOX.width, start.y + BOX.height / 2, end.x, end.y + BOX.height / 2];
          const bend = (x1 + x2) / 2;
          return <path key={`${from} ${into}`} d={`M${x1} ${y1}C${bend} ${y1} ${bend} ${y2} ${x2} ${y2}`} />;
        })}
        {things.map((thing) => {
          const place = at.get(thing.id);
          if (!place) return null;
          const box = (
            <g class={thing.is_here ? "here" : ""} transform={`translate(${place.x} ${place.y})`}>
              <title>{thing.title}</title>
              <rect width={BOX.width} height={BOX.height} rx="6" />
              <text class="kind" x="10" y="17">
                {fitted(`${WORDS[thing.kind]}${thing.note ? ` · ${thing.note}` : ""}`, 30)}
              </text>
              <text x="10" y="35">
                {fitted(thing.title, 27)}
              </text>
            </g>
          );
          const href = hrefOf(thing);
          return href && !thing.is_here ? (
            <a key={thing.id} href={href}>
              {box}
            </a>
          ) : (
            <g key={thing.id}>{box}</g>
          );
        })}
      </svg>
    </div>
  );
}

function fitted(text: string, most: number): string {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most - 1).join("")}…`;
}

function TiesTable({ things, ties }: Answer) {
  const titles = new Map(things.map((thing) => [thing.id, thing]));
  const told = (ids: readonly string[]) => ids.map((id) => titles.get(id)?.title ?? "").join(", ") || "–";
  return (
    <div class="card scrolls" tabIndex={0} role="group" aria-label="Lineage">
      <table class="plain-table">
        <thead>
          <tr>
            <th scope="col">Kind</th>
            <th scope="col">Name</th>
            <th scope="col">Remark</th>
            <th scope="col">Made of</th>
            <th scope="col">Led to</th>
          </tr>
        </thead>
        <tbody>
          {things.map((thing) => {
            const href = hrefOf(thing);
            return (
              <tr key={thing.id} aria-current={thing.is_here ? "true" : undefined}>
                <td>{WORDS[thing.kind]}</td>
                <td class="text">{href ? <a href={href}>{thing.title}</a> : thing.title}</td>
                <td class="text">{thing.note}</td>
                <td class="text">{told(ties.filter(([, into]) => into === thing.id).map(([from]) => from))}</td>
                <td class="text">{told(ties.filter(([from]) => from === thing.id).map(([, into]) => into))}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
