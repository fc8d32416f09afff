import { parentPort } from "node:worker_threads";
import { loadVrl } from "#vrl/vrl.ts";
import { differenceOf } from "../schemas/version-difference.ts";
import { loadCatalogue } from "./catalogue.ts";
import type { CheckContext } from "./check/check.ts";
import { compileFilled } from "./compile-filled.ts";
import { carryOutTrial, type TrialWork } from "../trials/trial-work.ts";
import { parsePipelineText, type PipelineGraph } from "./graph.ts";
import { fillPlaceholders } from "./placeholders.ts";
import { editText, type PipelineEdit } from "./edit/edit-text.ts";

import { exportConfig, type ExportFormat } from "./interchange/export-config.ts";
import { importConfig, type ImportFile } from "./interchange/import-config.ts";

/** What the thread does. */
export type Work =
  | { readonly kind: "compile"; readonly text: string; readonly context: CheckContext }
  | {
      readonly kind: "parse";
      readonly text: string;
      readonly variables: Readonly<Record<string, string>>;
    }
  | { readonly kind: "edit"; readonly text: string; readonly edit: PipelineEdit }
  | { readonly kind: "schema"; readonly version: string; readonly schemaGzip: Uint8Array }
  | { readonly kind: "import"; readonly files: readonly ImportFile[] }
  | { readonly kind: "export"; readonly text: string; readonly format: ExportFormat }
  | TrialWork;

export interface WorkRequest {
  readonly id: number;
  readonly work: Work;
}

function parseFilled(
  text: string,
  variables: Readonly<Record<string, string>>,
): PipelineGraph | undefined {
  const filled = fillPlaceholders(text, "VAR", (name) => variables[name], loadCatalogue());
  return parsePipelineText(filled?.text ?? text).graph;
}

function carryOut(work: Work): unknown {
  // The module is loaded with the first program.
  switch (work.kind) {
    case "compile":
      return compileFilled(work.text, work.context, loadVrl);
    case "parse":
      return parseFilled(work.text, work.variables);
    case "edit":
      return editText(work.text, work.edit);
    case "schema":
      return differenceOf(work.version, work.schemaGzip, loadCatalogue());
    case "import":
      return importConfig(work.files);
    case "export":
      return exportConfig(work.text, work.format);
    default:
      return carryOutTrial(work, loadVrl);
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
