import { isRecord, type GraphComponent } from "../graph.ts";
import type { Report } from "./check.ts";

/** The least that Vector takes for a buffer on disk: two of its files. */
const leastDiskBytes = 268_435_488;

/** Checks what the types of a buffer's options do not tell: one stage, or several in a list. */
export function checkBuffer(component: GraphComponent, report: Report): void {
  const { buffer } = component.config;
  const stages: readonly unknown[] = Array.isArray(buffer) ? buffer : [buffer];
  stages.forEach((stage, index) => {
    if (!isRecord(stage)) return;
    const path = Array.isArray(buffer) ? ["buffer", index] : ["buffer"];
    const { type = "memory", max_size: maxSize, max_events: maxEvents } = stage;
    if (type === "disk" && typeof maxSize === "number" && maxSize < leastDiskBytes) {
      report(
        component,
        [...path, "max_size"],
        `max_size must be at least ${leastDiskBytes} bytes for a buffer on disk`,
      );
    }
    if (type === "memory" && maxSize != null && maxEvents != null) {
      report(
        component,
        [...path, "max_events"],
        "only one of max_events and max_size may be there",
      );
    }
    if (stage["when_full"] === "overflow" && index === stages.length - 1) {
      report(
        component,
        [...path, "when_full"],
        "when_full cannot be overflow here: nothing comes behind this buffer",
      );
    }
  });
}
