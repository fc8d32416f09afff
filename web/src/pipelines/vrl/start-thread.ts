import moduleUrl from "virtual:vrl-module";

import type { VrlThread, WorkerAnswer, WorkerOrder } from "./vrl-checks.ts";

/** A worker with the VRL compiler, where the browser has workers. It loads the compiler with its first order. */
export function startThread(onAnswer: (answer: WorkerAnswer) => void): VrlThread | undefined {
  if (typeof Worker === "undefined" || typeof DecompressionStream === "undefined") return undefined;
  const worker = new Worker(new URL("./vrl-worker.ts", import.meta.url), { type: "module" });
  let last = 0;
  worker.addEventListener("message", ({ data }: MessageEvent<WorkerAnswer>) => onAnswer(data));
  worker.addEventListener("error", ({ message }) => onAnswer({ id: last, failed: message }));
  return {
    send(order) {
      last = order.id;
      worker.postMessage({ ...order, moduleUrl } satisfies WorkerOrder);
    },
    end: () => worker.terminate(),
  };
}
