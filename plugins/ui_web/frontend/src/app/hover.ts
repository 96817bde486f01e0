/** The run that is pointed at, wherever that is: tables and charts that show it mark it together. "" when it is none. */
import { signal } from "@preact/signals";

export const hoveredRun = signal("");
