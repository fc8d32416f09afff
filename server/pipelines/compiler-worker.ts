import { parentPort } from "node:worker_threads";
import { loadVrl } from "#vrl/vrl.ts";
import type { CheckContext } from "./check.ts";
import { compilePipeline } from "./compile.ts";
import { carryOutTrial, type TrialWork } from "../trials/trial-work.ts";
import { editText, type PipelineEdit } from "./edit-text.ts";

/** What the thread does with a text. */
export type Work =
  | { readonly kind: "compile"; readonly text: string; readonly context: CheckContext }
  | { readonly kind: "edit"; readonly text: string; readonly edit: PipelineEdit }
  | TrialWork;

export interface WorkRequest {
  readonly id: number;
  readonly work: Work;
}

function carryOut(work: Work): unknown {
  // The module is loaded with the first program.
  switch (work.kind) {
    case "compile":
      return compilePipeline(work.text, work.context, loadVrl);
    case "edit":
      return editText(work.text, work.edit);
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
