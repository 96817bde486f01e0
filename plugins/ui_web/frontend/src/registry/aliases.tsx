/** The aliases of a model, or of one version of it: set, pointed elsewhere, removed. */
import { useSignal } from "@preact/signals";
import { address, to } from "../app/router";
import { Refusal, useActing } from "../parts/acting";
import { Icon } from "../parts/icon";
import { deleteAlias, setAlias } from "./answer";
import { Alias } from "./labels";

interface Pointing {
  readonly alias: string;
  readonly version: string;
}

interface Props {
  readonly name: string;
  readonly aliases: readonly Pointing[];
  /** Versions that an alias may point to; where it is one alone, that is not said with each. */
  readonly versions: readonly string[];
  /** True on the page of one version. */
  readonly isOfVersion?: boolean;
  readonly refresh: () => void;
}

export function Aliases({ name, aliases, versions, isOfVersion = false, refresh }: Props) {
  const draft = useSignal<Pointing | null>(null);
  const { act, refusal, isActing } = useActing();
  const done = () => {
    draft.value = null;
    refresh();
  };
  const form = draft.value;
  return (
    <section class="block">
      <header class="block-head">
        <h2>Aliases</h2>
      </header>
      {aliases.length > 0 && (
        <ul class="tags">
          {aliases.map(({ alias, version }) => (
            <li key={alias}>
              <Alias name={alias} />
              <span class="tag-value">{!isOfVersion && <a href={address(to("models", name, version))}>version {version}</a>}</span>
              {!isOfVersion && (
                <button type="button" class="button plain square small" aria-label={`Point @${alias} to another version`} onClick={() => (draft.value = { alias, version })}>
                  <Icon name="edit" size={13} />
                </button>
              )}
              <button type="button" class="button plain square small" aria-label={`Remove @${alias}`} onClick={() => void act(() => deleteAlias(name, alias), done)}>
                <Icon name="close" size={13} />
              </button>
            </li>
          ))}
        </ul>
      )}
      {aliases.length === 0 && !form && <p class="soft">No aliases.</p>}
      {form ? (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            void act(() => setAlias(name, form.alias.trim(), form.version), done);
          }}
          onKeyDown={(event) => event.key === "Escape" && (draft.value = null)}
        >
          <input class="field" aria-label="Alias" placeholder="champion" required value={form.alias} onInput={(event) => (draft.value = { ...form, alias: event.currentTarget.value })} />
          {!isOfVersion && (
            <select class="field" aria-label="Version" value={form.version} onChange={(event) => (draft.value = { ...form, version: event.currentTarget.value })}>
              {[...new Set([form.version, ...versions])].map((version) => (
                <option key={version} value={version}>
                  version {version}
                </option>
              ))}
            </select>
          )}
          <p class="soft small">An alias points to one version; it is taken from the one that has it now.</p>
          <div class="row">
            <button type="submit" class="button primary" disabled={isActing.value}>
              Save
            </button>
            <button type="button" class="button" onClick={() => (draft.value = null)}>
              Cancel
            </button>
          </div>
        </form>
      ) : (
        versions.length > 0 && (
          <div>
            <button type="button" class="button" onClick={() => (draft.value = { alias: "", version: versions[0] ?? "" })}>
              <Icon name="plus" size={14} /> Add alias
            </button>
          </div>
        )
      )}
      <Refusal text={refusal.value} />
    </section>
  );
}
