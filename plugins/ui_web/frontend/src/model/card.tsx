/** The card of a model, drawn from what the server has put together: purpose, data, input and output, use, environment, facts. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import type { Subject } from "../artifacts/files";
import { address, to } from "../app/router";
import { Code } from "../parts/code";
import { Markdown } from "../parts/markdown";
import { Fault, Waiting } from "../parts/states";
import { count } from "../values/numbers";
import { readModel, type Block, type Section } from "./answer";

/** Tables of more rows show the first of them until somebody asks. */
const LONG = 30;
const FIRST = 12;

/** The card of the model in a folder of a run, with a way to the model's own page. */
export function ModelCard({ subject, folder }: { subject: Subject; folder: string }) {
  const { asked, again } = useAsked((signal) => readModel(subject, folder, signal));
  const { value, fault } = asked.value;
  if (fault) return <Fault fault={fault} again={again} />;
  if (!value) return <Waiting what="the model" height={480} />;
  return (
    <div class="stack wide">
      <p>
        <strong>{value.title}</strong> <span class="soft">{value.subtitle}</span>{" "}
        {value.model && !("model_id" in subject) && <a href={address(to("logged-models", value.model.model_id))}>Its own page</a>}
      </p>
      {value.fault && <p class="banner">{value.fault}</p>}
      <Sections sections={value.sections} />
    </div>
  );
}

export function Sections({ sections }: { sections: readonly Section[] }) {
  return (
    <>
      {sections.map((section) => (
        <section class="block" key={section.title} aria-label={section.title}>
          <header class="block-head">
            <h2>{section.title}</h2>
          </header>
          {section.blocks.map((block, at) => (
            <OneBlock key={at} block={block} title={section.title} />
          ))}
        </section>
      ))}
    </>
  );
}

function OneBlock({ block, title }: { block: Block; title: string }) {
  switch (block.kind) {
    case "prose":
      return <Markdown text={block.text} />;
    case "note":
      return <p class="soft">{block.text}</p>;
    case "code":
      return <Code text={block.text} label={`Copy: ${title}`} />;
    case "facts":
      return (
        <dl class="facts">
          {block.rows.map(([label, value]) => (
            <>
              <dt key={label}>{label}</dt>
              <dd>{value}</dd>
            </>
          ))}
        </dl>
      );
    case "table":
      return <Rows block={block} title={title} />;
  }
}

/** A table; of a long one its first rows, so that what comes below it is found. */
function Rows({ block, title }: { block: Extract<Block, { kind: "table" }>; title: string }) {
  const isWhole = useSignal(false);
  const isLong = block.rows.length > LONG;
  const rows = isLong && !isWhole.value ? block.rows.slice(0, FIRST) : block.rows;
  return (
    <>
      <div class="card scrolls" tabIndex={0} role="group" aria-label={title}>
        <table class="plain-table card-table">
          {block.headings.some(Boolean) && (
            <thead>
              <tr>
                {block.headings.map((heading, at) =>
                  heading ? (
                    <th key={at} scope="col" class={block.numbers.includes(at) ? "number" : ""}>
                      {heading}
                    </th>
                  ) : (
                    <td key={at} />
                  ),
                )}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map((row, at) => (
              <tr key={at}>
                {row.map((cell, index) => (
                  <td key={index} class={block.numbers.includes(index) ? "number" : "text"} dir="auto">
                    {cell}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {isLong && (
        <div>
          <button type="button" class="as-link" aria-expanded={isWhole.value} onClick={() => (isWhole.value = !isWhole.value)}>
            {isWhole.value ? `Show the first ${FIRST} alone` : `Show all ${count(block.rows.length)} rows`}
          </button>
        </div>
      )}
    </>
  );
}
