import { parentPort } from "node:worker_threads";
import { loadVrl } from "#vrl/vrl.ts";
import type { CheckContext } from "./check.ts";
import { compilePipeline } from "./compile.ts";
import { exportConfig, type ExportFormat } from "./export-config.ts";
import { importConfig, type ImportFile } from "./import-config.ts";

/** What the thread does. */
export type Work =
  | { readonly kind: "compile"; readonly text: string; readonly context: CheckContext }
  | { readonly kind: "import"; readonly files: readonly ImportFile[] }
  | { readonly kind: "export"; readonly text: string; readonly format: ExportFormat };

export interface WorkRequest {
  readonly id: number;
  readonly work: Work;
}

function carryOut(work: Work): unknown {
  switch (work.kind) {
    case "compile":
      // The module is loaded with the first program.
      return compilePipeline(work.text, work.context, loadVrl);
    case "import":
      return importConfig(work.files);
    case "export":
      return exportConfig(work.text, work.format);
    default:
      return work satisfies never;
  }
}

parentPort?.on("message", ({ id, work }: WorkRequest) => {
  try {
    parentPort?.postMessage({ id, result: carryOut(work) });
  } catch (error) {
    // The module is unusable after an overflow of its stack: the thread must go.
    parentPort?.postMessage({ id, failed: String(error) });
  }
});
