/** Tables in files, a page of rows at a time: the server reads them. */
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { useQuery } from "../app/query";
import { setQuery } from "../app/router";
import { nameOf, type Subject } from "../artifacts/files";
import { Fault, Waiting } from "../parts/states";
import { count, shortNumber } from "../values/numbers";
import { TextViewer } from "./text";
import type { ViewerProps } from "./viewer";
import { useView, Views } from "./views";

const PAGE = 50;
/** The server looks no farther. */
const ROWS_MAX = 1e12;

interface Preview {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly column_count: number;
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
  readonly offset: number;
  readonly count: number | null;
  readonly has_more: boolean;
}

export function TableViewer(props: ViewerProps) {
  const isText = !props.file.path.endsWith(".parquet");
  const view = useView(isText ? ["table", "source"] : ["table"]);
  return (
    <div class="stack">
      {isText && <Views chosen={view} views={{ table: "Table", source: "Source" }} />}
      {view === "source" ? <TextViewer {...props} /> : <RowsTable subject={props.subject} path={props.file.path} />}
    </div>
  );
}

export function RowsTable({ subject, path }: { subject: Subject; path: string }) {
  const row = useQuery("row");
  const offset = () => Math.min(ROWS_MAX, Math.max(0, Math.floor(Number(row.value) || 0)));
  const { asked, again } = useAsked((signal) => get<Preview>("api/drupe/ui/preview", { ...subject, path, offset: offset(), limit: PAGE }, signal));
  const { value, fault, isWaiting } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="rows" height={480} />;
  const turn = (to: number) => setQuery({ row: to > 0 ? String(to) : undefined });
  const last = value.offset + value.rows.length;
  return (
    <div class="stack" aria-busy={isWaiting}>
      <div class="card scrolls viewer-table" tabIndex={0} role="group" aria-label={`Rows of ${nameOf(path)}`}>
        <table class="plain-table">
          <thead>
            <tr>
              <th scope="col" class="number soft">
                #
              </th>
              {value.columns.map((column, at) => (
                <th scope="col" key={at} class={column.type === "number" ? "number" : ""} title={column.type}>
                  {column.name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {value.rows.map((cells, at) => (
              <tr key={at}>
                <td class="number soft">{count(value.offset + at + 1)}</td>
                {value.columns.map((column, index) => (
                  <Cell key={index} value={cells[index] ?? null} isNumber={column.type === "number"} />
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row">
        {(value.offset > 0 || value.has_more) && (
          <>
            <button type="button" class="button" disabled={value.offset === 0} onClick={() => turn(0)}>
              First
            </button>
            <button type="button" class="button" disabled={value.offset === 0} onClick={() => turn(value.offset - PAGE)}>
              Previous
            </button>
            <button type="button" class="button" disabled={!value.has_more} onClick={() => turn(value.offset + PAGE)}>
              Next
            </button>
            {value.count !== null && (
              <button type="button" class="button" disabled={!value.has_more} onClick={() => turn(Math.floor((value.count! - 1) / PAGE) * PAGE)}>
                Last
              </button>
            )}
          </>
        )}
        <span class="soft" role="status">
          {value.rows.length === 0 ? "No rows" : `Rows ${count(value.offset + 1)}–${count(last)}`}
          {value.count ? ` of ${count(value.count)}` : ""}
          {value.column_count > value.columns.length ? `, the first ${value.columns.length} of ${count(value.column_count)} columns` : ""}
        </span>
      </div>
    </div>
  );
}

function Cell({ value, isNumber }: { value: string | number | boolean | null; isNumber: boolean }) {
  if (value === null) return <td class={`soft${isNumber ? " number" : ""}`}>–</td>;
  const number = isNumber ? Number(value) : Number.NaN;
  const text = isNumber && value !== "" && !Number.isNaN(number) ? (Number.isInteger(number) && Math.abs(number) < 1e15 ? String(value) : shortNumber(number)) : String(value);
  return (
    <td class={isNumber ? "number" : "viewer-cell"} title={String(value)} dir="auto">
      {text}
    </td>
  );
}
