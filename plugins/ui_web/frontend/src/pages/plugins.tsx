/** Every installed plugin: its state with the reason and what would help, and what it offers. */
import { useAsked } from "../api/asking";
import { get } from "../api/http";
import { useQuery } from "../app/query";
import { setQuery } from "../app/router";
import { useTitle } from "../app/title";
import { Fault, Waiting } from "../parts/states";
import { Status } from "../parts/status";
import { count, counted } from "../values/numbers";
import "../styles/pages.css";
import "../styles/installation.css";

interface Offer {
  readonly kind: string;
  readonly name: string;
  readonly keys: readonly string[];
  readonly help: string;
  readonly state: string;
}

interface Plugin {
  readonly name: string;
  readonly distribution: string;
  readonly version: string;
  readonly state: string;
  readonly reason: string;
  readonly advice: string;
  readonly load_ms: number;
  readonly offers: readonly Offer[];
  readonly reports: readonly string[];
}

/** Those that want attention first. */
const ORDER = ["broken", "refused", "disabled", "active"];

export default function PluginsPage() {
  useTitle("Plugins");
  const search = useQuery("search");
  const { asked, again } = useAsked((signal) => get<{ plugins: readonly Plugin[] }>("api/drupe/ui/plugins", {}, signal));
  const { value, fault } = asked.value;
  const wanted = search.value.toLowerCase();
  const found = (value?.plugins ?? [])
    .filter((plugin) => [plugin.name, plugin.distribution, ...plugin.offers.flatMap((offer) => [offer.name, offer.kind, ...offer.keys])].some((text) => text.toLowerCase().includes(wanted)))
    .sort((one, other) => ORDER.indexOf(one.state) - ORDER.indexOf(other.state) || one.name.localeCompare(other.name));
  return (
    <div class="page">
      <div class="page-head">
        <h1>Plugins</h1>
        <span class="soft">{value ? count(value.plugins.length) : ""}</span>
        <span class="rest" />
        <input class="field" type="search" placeholder="Find a plugin or an offer" aria-label="Find a plugin or what it offers" value={search.value} onInput={(event) => setQuery({ search: event.currentTarget.value })} />
      </div>
      {fault && !value ? (
        <Fault fault={fault} again={again} />
      ) : !value ? (
        <Waiting what="plugins" height={480} />
      ) : found.length === 0 ? (
        <p class="soft">No plugin is called like that or offers it.</p>
      ) : (
        <div class="plugins">
          {found.map((plugin) => (
            <OnePlugin key={plugin.name} plugin={plugin} />
          ))}
        </div>
      )}
    </div>
  );
}

function OnePlugin({ plugin }: { plugin: Plugin }) {
  const id = `plugin-${plugin.name}`;
  return (
    <article class="card plugin" aria-labelledby={id}>
      <header class="row">
        <h2 id={id}>{plugin.name}</h2>
        <Status value={plugin.state} />
        <span class="soft plugin-facts">
          {plugin.distribution} {plugin.version} · loaded in {plugin.load_ms < 10 ? plugin.load_ms.toFixed(1) : Math.round(plugin.load_ms)} ms
        </span>
      </header>
      {plugin.reason && <p class={`banner${plugin.state === "broken" ? " bad" : ""}`}>{plugin.reason}</p>}
      {plugin.advice && <p class="plugin-advice">{plugin.advice}</p>}
      {plugin.reports.map((text, at) => (
        <p class="banner bad" key={at}>
          {text}
        </p>
      ))}
      {plugin.offers.length === 0 ? (
        <p class="soft">{plugin.state === "active" ? "It offers nothing by name; it listens to what happens." : "What it offers is not known while it is not active."}</p>
      ) : (
        <details open={plugin.offers.length <= 4}>
          <summary>{counted(plugin.offers.length, "offer")}</summary>
          <div class="scrolls" tabIndex={0} role="group" aria-label={`Offers of ${plugin.name}`}>
            <table class="plain-table">
              <thead>
                <tr>
                  {["Kind", "Keys", "What it does", "State"].map((title) => (
                    <th scope="col" key={title}>
                      <span class="for-readers">{title}</span>
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody>
                {plugin.offers.map((offer) => (
                  <tr key={`${offer.kind} ${offer.name}`}>
                    <td class="soft">{offer.kind}</td>
                    <td class="plugin-keys">
                      {offer.keys.map((key) => (
                        <code key={key}>{key}</code>
                      ))}
                    </td>
                    <td class="text">{offer.help}</td>
                    <td>
                      <span class={`badge ${offer.state === "ready" ? "good" : "warn"}`}>{offer.state}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        </details>
      )}
    </article>
  );
}
