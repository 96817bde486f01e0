/** Small marks of the registry: aliases and stages. */

/** An alias as it is written in addresses. */
export function Alias({ name }: { name: string }) {
  return (
    <span class="badge busy alias" dir="auto" title={name}>
      <span class="one-line">@{name}</span>
    </span>
  );
}

const LOOK: Record<string, string> = { Production: "good", Staging: "warn", Archived: "" };

/** A stage; none is a dash. */
export function Stage({ stage }: { stage: string }) {
  if (!stage || stage === "None") return <span class="soft">–</span>;
  return <span class={`badge ${LOOK[stage] ?? ""}`}>{stage}</span>;
}
