/** The dialog that makes a version of a registered model from a logged one: of a model that there is, or of a new one. */
import { useSignal } from "@preact/signals";
import { useAsked } from "../api/asking";
import { ApiError, get, post } from "../api/http";
import { address, go, to } from "../app/router";
import { FormDialog } from "../parts/form-dialog";

interface Props {
  readonly modelId: string;
  /** What made the model, where that is known. */
  readonly runId: string | undefined;
  readonly onClose: () => void;
}

interface Registered {
  readonly registered_models?: readonly { readonly name: string }[];
}

const API = "ajax-api/2.0/mlflow";
const LISTED = 200;

export function RegisterDialog({ modelId, runId, onClose }: Props) {
  const name = useSignal("");
  const { asked } = useAsked((signal) => get<Registered>(`${API}/registered-models/search`, { max_results: LISTED, order_by: ["last_updated_timestamp DESC"] }, signal));
  const known = (asked.value.value?.registered_models ?? []).map((model) => model.name);
  const wanted = name.value.trim();
  const register = async () => {
    if (!known.includes(wanted)) await post(`${API}/registered-models/create`, { name: wanted }).catch(passOver);
    const form = { name: wanted, source: `models:/${modelId}`, model_id: modelId, ...(runId ? { run_id: runId } : {}) };
    const made = await post<{ model_version: { version: string } }>(`${API}/model-versions/create`, form);
    go(address(to("models", wanted, made.model_version.version)));
  };
  return (
    <FormDialog title="Register this model" yes="Register" isReady={wanted !== ""} act={register} onClose={onClose}>
      <label>
        Name
        <input class="field" required maxLength={250} list="registered-names" value={name.value} onInput={(event) => (name.value = event.currentTarget.value)} />
      </label>
      <datalist id="registered-names">
        {known.map((one) => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <p class="soft small">{wanted && known.includes(wanted) ? "It gets another version." : "A new name makes a new registered model, with this as its first version."}</p>
    </FormDialog>
  );
}

/** A model that somebody has made meanwhile, or that is not among those listed, is as good as a new one. */
function passOver(fault: unknown): void {
  if (!(fault instanceof ApiError && fault.code === "RESOURCE_ALREADY_EXISTS")) throw fault;
}
