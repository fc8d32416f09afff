import { parentPort } from "node:worker_threads";
import type { CheckContext } from "./check.ts";
import { compilePipeline } from "./compile.ts";
import type { VrlDiagnostic, VrlEngine } from "./vrl.ts";

/** One text to compile. */
export interface CompileRequest {
  readonly id: number;
  readonly text: string;
  readonly context: CheckContext;
}

let loading: Promise<VrlEngine> | undefined;

/** The engine costs 110 MB and 150 ms, so it is loaded with the first program. */
function vrlEngine(): Promise<VrlEngine> {
  loading ??= import("@bpinternal/verel").then(({ default: verel }) => ({
    check: (source) => {
      const { errors } = verel.check(source) as { errors: readonly VrlDiagnostic[] };
      return errors;
    },
  }));
  return loading;
}

parentPort?.on("message", (request: CompileRequest) => {
  compilePipeline(request.text, request.context, vrlEngine).then(
    (compiled) => parentPort?.postMessage({ id: request.id, compiled }),
    (error: unknown) => {
      // The engine's memory is unusable after an overflow of its stack: the thread must go.
      parentPort?.postMessage({ id: request.id, failed: String(error) });
    },
  );
});
