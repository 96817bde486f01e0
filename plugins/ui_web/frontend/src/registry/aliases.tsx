/** The aliases of a model, or of one version of it: set, pointed elsewhere, removed. */
import { address, to } from "../app/router";
import { Entries } from "../parts/entries";
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
  const [first] = versions;
  return (
    <section class="block">
      <header class="block-head">
        <h2>Aliases</h2>
      </header>
      <Entries<Pointing, Pointing>
        entries={aliases}
        keyOf={({ alias }) => alias}
        empty="No aliases."
        fields={(draft, change) => (
          <>
            <input class="field" aria-label="Alias" placeholder="champion" required value={draft.alias} onInput={(event) => change({ ...draft, alias: event.currentTarget.value })} />
            {!isOfVersion && (
              <select class="field" aria-label="Version" value={draft.version} onChange={(event) => change({ ...draft, version: event.currentTarget.value })}>
                {[...new Set([draft.version, ...versions])].map((version) => (
                  <option key={version} value={version}>
                    version {version}
                  </option>
                ))}
              </select>
            )}
            <p class="soft small">An alias points to one version; it is taken from the one that has it now.</p>
          </>
        )}
        save={(draft) => setAlias(name, draft.alias.trim(), draft.version).then(refresh)}
        fresh={first === undefined ? null : { label: "Add alias", draft: { alias: "", version: first } }}
        edit={isOfVersion ? undefined : (pointing) => ({ label: `Point @${pointing.alias} to another version`, draft: pointing })}
        remove={({ alias }) => ({ label: `Remove @${alias}`, work: () => deleteAlias(name, alias).then(refresh) })}
      >
        {({ alias, version }) => (
          <>
            <Alias name={alias} />
            <span class="tag-value">{!isOfVersion && <a href={address(to("models", name, version))}>version {version}</a>}</span>
          </>
        )}
      </Entries>
    </section>
  );
}
