/** The registry: all models, one of them, or one version, by what the address says further. */
import type { PageProps } from "../app/pages";
import { ModelList } from "../registry/list";
import { OneModel } from "../registry/one-model";
import { OneVersion } from "../registry/one-version";
import "../styles/pages.css";
import "../styles/run.css";
import "../styles/registry.css";

export default function ModelsPage({ rest }: PageProps) {
  const [name, version] = rest;
  if (name === undefined) return <ModelList />;
  if (version === undefined) return <OneModel key={name} name={name} />;
  return <OneVersion key={`${name} ${version}`} name={name} version={version} />;
}
