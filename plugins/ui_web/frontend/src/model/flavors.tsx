/** What the MLmodel file says of each flavor. */
import { Empty } from "../parts/states";
import type { ModelAnswer } from "./answer";

export function Flavors({ flavors }: { flavors: ModelAnswer["flavors"] }) {
  if (flavors.length === 0) return <Empty title="No flavors are known" />;
  return (
    <div class="columns-even">
      {flavors.map((flavor) => (
        <section class="block" key={flavor.name}>
          <header class="block-head">
            <h2>{flavor.name}</h2>
            <span class="count">{flavor.release}</span>
          </header>
          <dl class="facts">
            {flavor.keys.map(([key, value]) => (
              <>
                <dt key={key}>{key}</dt>
                <dd>{value}</dd>
              </>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}
