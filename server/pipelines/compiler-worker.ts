import { parentPort } from "node:worker_threads";
import { loadVrl } from "#vrl/vrl.ts";
import type { CheckContext } from "./check.ts";
import { compileFilled } from "./compile-filled.ts";

/** One text to compile. */
export interface CompileRequest {
  readonly id: number;
  readonly text: string;
  readonly context: CheckContext;
}

parentPort?.on("message", ({ id, text, context }: CompileRequest) => {
  try {
    // The module is loaded with the first program.
    parentPort?.postMessage({ id, compiled: compileFilled(text, context, loadVrl) });
  } catch (error) {
    // The module is unusable after an overflow of its stack: the thread must go.
    parentPort?.postMessage({ id, failed: String(error) });
  }
});
