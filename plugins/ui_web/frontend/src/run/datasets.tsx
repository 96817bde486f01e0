/** The data that went into a run, with its columns and size where they are known. */
import { useSignal } from "@preact/signals";
import { count, counted } from "../values/numbers";
import type { Dataset, Pair } from "./answer";

interface Input {
  readonly dataset: Dataset;
  readonly tags?: readonly Pair[];
}

export function Datasets({ inputs }: { inputs: readonly Input[] }) {
  if (inputs.length === 0) return null;
  return (
    <section class="block">
      <header class="block-head">
        <h2>Datasets</h2>
        <span class="count">{count(inputs.length)}</span>
      </header>
      <ul class="links">
        {inputs.map((input) => (
          <li key={`${input.dataset.name} ${input.dataset.digest}`}>
            <OneDataset input={input} />
          </li>
        ))}
      </ul>
    </section>
  );
}

function OneDataset({ input: { dataset, tags = [] } }: { input: Input }) {
  const isOpen = useSignal(false);
  const context = tags.find((tag) => tag.key === "mlflow.data.context")?.value;
  const columns = columnsOf(dataset.schema);
  const profile = objectOf(dataset.profile);
  const rows = profile["num_rows"];
  return (
    <>
      <span class="row">
        <strong>{dataset.name}</strong>
        {context && <span class="badge">{context}</span>}
      </span>
      <span class="soft small">
        {typeof rows === "number" ? `${counted(rows, "row")} · ` : ""}
        {sourceOf(dataset)} <code>{dataset.digest}</code>
      </span>
      {columns.length > 0 && (
        <div>
          <button type="button" class="as-link" aria-expanded={isOpen.value} onClick={() => (isOpen.value = !isOpen.value)}>
            {isOpen.value ? "Hide" : "Show"} {counted(columns.length, "column")}
          </button>
          {isOpen.value && (
            <dl class="facts small">
              {columns.map(([name, type]) => (
                <>
                  <dt key={name}>{name}</dt>
                  <dd>{type}</dd>
                </>
              ))}
            </dl>
          )}
        </div>
      )}
    </>
  );
}

/** What a dataset's source is called: its address, path or name. */
export function sourceOf(dataset: Dataset): string {
  const told = objectOf(dataset.source);
  for (const key of ["uri", "url", "path", "name"]) if (typeof told[key] === "string") return told[key];
  return dataset.source_type ?? "";
}

function columnsOf(schema: string | undefined): [string, string][] {
  const told = objectOf(schema)["mlflow_colspec"];
  if (!Array.isArray(told)) return [];
  return told.map((one: { name?: unknown; type?: unknown }) => [String(one?.name ?? ""), String(one?.type ?? "")]);
}

function objectOf(text: string | undefined): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text ?? "{}");
    return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
