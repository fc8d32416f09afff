import { parentPort } from "node:worker_threads";
import { loadVrl } from "#vrl/vrl.ts";
import { differenceOf } from "../schemas/version-difference.ts";
import { loadCatalogue } from "./catalogue.ts";
import type { CheckContext } from "./check.ts";
import { compilePipeline } from "./compile.ts";
import { parsePipelineText } from "./graph.ts";
import { editText, type PipelineEdit } from "./edit-text.ts";

/** What the thread does with a text. */
export type Work =
  | { readonly kind: "compile"; readonly text: string; readonly context: CheckContext }
  | { readonly kind: "parse"; readonly text: string }
  | { readonly kind: "edit"; readonly text: string; readonly edit: PipelineEdit }
  | { readonly kind: "schema"; readonly version: string; readonly schemaGzip: Uint8Array };

export interface WorkRequest {
  readonly id: number;
  readonly work: Work;
}

function carryOut(work: Work): unknown {
  // The module is loaded with the first program.
  if (work.kind === "compile") return compilePipeline(work.text, work.context, loadVrl);
  if (work.kind === "parse") return parsePipelineText(work.text).graph;
  if (work.kind === "edit") return editText(work.text, work.edit);
  return differenceOf(work.version, work.schemaGzip, loadCatalogue());
}

parentPort?.on("message", ({ id, work }: WorkRequest) => {
  try {
    parentPort?.postMessage({ id, result: carryOut(work) });
  } catch (error) {
    // The module is unusable after an overflow of its stack: the thread must go.
    parentPort?.postMessage({ id, failed: String(error) });
  }
});
