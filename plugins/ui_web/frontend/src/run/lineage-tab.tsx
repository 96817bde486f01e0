/** The lineage of a run. */
import { Lineage } from "../model/lineage";
import type { RunTabProps } from "../pages/run";

export function LineageTab({ told }: RunTabProps) {
  return <Lineage subject={{ run_id: told.run.info.run_id }} />;
}
