/** How a version is moved to a stage: after a question that says what that does to others. */
import { useSignal } from "@preact/signals";
import { FormDialog } from "../parts/form-dialog";
import { moveToStage, STAGES, type Version } from "./answer";

export function StageOfVersion({ version, refresh }: { version: Version; refresh: () => void }) {
  const wanted = useSignal("");
  const archives = useSignal(true);
  const canArchive = wanted.value === "Staging" || wanted.value === "Production";
  return (
    <>
      <label class="row whole">
        <span class="soft">Stage</span>
        <select
          class="field"
          value={version.current_stage}
          onChange={(event) => {
            wanted.value = event.currentTarget.value;
            event.currentTarget.value = version.current_stage; // it changes when the server says so
          }}
        >
          {STAGES.map((stage) => (
            <option key={stage} value={stage}>
              {stage}
            </option>
          ))}
        </select>
      </label>
      {wanted.value && (
        <FormDialog
          title={`Move version ${version.version} to ${wanted.value}?`}
          yes={`Move to ${wanted.value}`}
          act={() => moveToStage(version.name, version.version, wanted.value, canArchive && archives.value).then(refresh)}
          onClose={() => (wanted.value = "")}
        >
          <p>
            Version {version.version} of <strong>{version.name}</strong> goes from {version.current_stage} to {wanted.value}.
          </p>
          {canArchive && (
            <label class="row whole">
              <input type="checkbox" checked={archives.value} onChange={(event) => (archives.value = event.currentTarget.checked)} />
              Archive other versions that are in {wanted.value}
            </label>
          )}
        </FormDialog>
      )}
    </>
  );
}
