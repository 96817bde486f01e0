/** The metrics of one run as charts. */
import { RunCharts } from "../charts/run-charts";
import type { RunTabProps } from "../pages/run";

export function ChartsTab({ told }: RunTabProps) {
  return <RunCharts runIds={[told.run.info.run_id]} />;
}
