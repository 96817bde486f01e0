/** The registry as MLflow's requests tell and change it. */
import type { Change } from "../api/changes";
import { get, post } from "../api/http";
import type { PageTold } from "../api/pages";
import type { Pair } from "../run/answer";
import { quoted } from "../values/quoted";

const ROOT = "ajax-api/2.0/mlflow";

export interface Version {
  readonly name: string;
  readonly version: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly source: string;
  readonly run_id?: string;
  readonly description?: string;
  readonly user_id?: string;
  readonly current_stage: string;
  readonly status: string;
  readonly status_message?: string;
  readonly tags?: readonly Pair[];
  readonly aliases?: readonly string[];
}

export interface Registered {
  readonly name: string;
  readonly creation_timestamp: number;
  readonly last_updated_timestamp: number;
  readonly description?: string;
  readonly tags?: readonly Pair[];
  readonly aliases?: readonly { readonly alias: string; readonly version: string }[];
  readonly latest_versions?: readonly Version[];
}

interface ModelsFound {
  readonly registered_models?: readonly Registered[];
  readonly next_page_token?: string;
}

interface VersionsFound {
  readonly model_versions?: readonly Version[];
  readonly next_page_token?: string;
}

export const STAGES = ["None", "Staging", "Production", "Archived"] as const;

export async function findModels(search: string, token: string | undefined, signal?: AbortSignal): Promise<PageTold<Registered>> {
  const filter = search ? `name ILIKE ${quoted(`%${search}%`)}` : undefined;
  const found = await get<ModelsFound>(`${ROOT}/registered-models/search`, { filter, max_results: 50, page_token: token, order_by: ["name ASC"] }, signal);
  return { items: found.registered_models ?? [], token: found.next_page_token || undefined };
}

/** Whether a change is about a registered model, its versions or aliases: of that name, or of any where none is given. */
export function isOfModel(name?: string): (change: Change) => boolean {
  return (change) => change.kind === "model" && (name === undefined || change.name === undefined || change.name === name);
}

export async function readRegistered(name: string, signal: AbortSignal): Promise<Registered> {
  return (await get<{ registered_model: Registered }>(`${ROOT}/registered-models/get`, { name }, signal)).registered_model;
}

export async function findVersions(name: string, token: string | undefined, signal?: AbortSignal, most = 100): Promise<PageTold<Version>> {
  const fields = { filter: `name = ${quoted(name)}`, max_results: most, page_token: token, order_by: ["version_number DESC"] };
  const found = await get<VersionsFound>(`${ROOT}/model-versions/search`, fields, signal);
  return { items: found.model_versions ?? [], token: found.next_page_token || undefined };
}

export async function readVersion(name: string, version: string, signal: AbortSignal): Promise<Version> {
  return (await get<{ model_version: Version }>(`${ROOT}/model-versions/get`, { name, version }, signal)).model_version;
}

const send = (path: string, form: object, method = "POST") => post(`${ROOT}/${path}`, form, undefined, method);

export const renameModel = (name: string, newName: string) => send("registered-models/rename", { name, new_name: newName });
export const describeModel = (name: string, description: string) => send("registered-models/update", { name, description }, "PATCH");
export const deleteModel = (name: string) => send("registered-models/delete", { name }, "DELETE");
export const setModelTag = (name: string, key: string, value: string) => send("registered-models/set-tag", { name, key, value });
export const deleteModelTag = (name: string, key: string) => send("registered-models/delete-tag", { name, key }, "DELETE");
export const setAlias = (name: string, alias: string, version: string) => send("registered-models/alias", { name, alias, version });
export const deleteAlias = (name: string, alias: string) => send("registered-models/alias", { name, alias }, "DELETE");
export const describeVersion = (name: string, version: string, description: string) => send("model-versions/update", { name, version, description }, "PATCH");
export const deleteVersion = (name: string, version: string) => send("model-versions/delete", { name, version }, "DELETE");
export const setVersionTag = (name: string, version: string, key: string, value: string) => send("model-versions/set-tag", { name, version, key, value });
export const deleteVersionTag = (name: string, version: string, key: string) => send("model-versions/delete-tag", { name, version, key }, "DELETE");
export const moveToStage = (name: string, version: string, stage: string, archive: boolean) =>
  send("model-versions/transition-stage", { name, version, stage, archive_existing_versions: archive });
