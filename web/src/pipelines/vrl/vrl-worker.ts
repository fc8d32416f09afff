import { startVrl } from "#vrl/browser.ts";
import { checkText } from "#vrl/check-text.ts";

import type { WorkerAnswer, WorkerOrder } from "./vrl-checks.ts";

// The VRL compiler on a thread of its own: a program can make it run away, and then only the thread is ended.

async function load(url: string): Promise<ReturnType<typeof startVrl>> {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error("the compiler cannot be loaded");
  const unpacked = response.body.pipeThrough(new DecompressionStream("gzip"));
  return startVrl(new Uint8Array(await new Response(unpacked).arrayBuffer()));
}

let loading: ReturnType<typeof load> | undefined;

async function carryOut(order: WorkerOrder): Promise<WorkerAnswer> {
  loading ??= load(order.moduleUrl);
  const check = await loading;
  return { id: order.id, findings: checkText(order.text, order.programs, check) };
}

globalThis.addEventListener("message", ({ data }: MessageEvent<WorkerOrder>) => {
  // An error ends the thread's work: after an overflow of its stack the module is of no use.
  carryOut(data).then(
    (answer) => postMessage(answer),
    (error: unknown) => postMessage({ id: data.id, failed: String(error) } satisfies WorkerAnswer),
  );
});
