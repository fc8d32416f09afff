import { parentPort } from "node:worker_threads";
import { loadVrl, type VrlValue } from "#vrl/vrl.ts";
import type { Value } from "../event.ts";
import type { Outcome, Request, Response } from "./protocol.ts";

/** Dates go in and come out under this key. */
const dateKey = "$date";

function encode(value: Value): VrlValue {
  if (value instanceof Date) return { [dateKey]: value.toISOString() };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, encode(inner)]));
}

function decode(value: VrlValue): Value {
  if (Array.isArray(value)) return value.map(decode);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const [[key, text] = []] = entries;
  if (entries.length === 1 && key === dateKey && typeof text === "string") return new Date(text);
  return Object.fromEntries(entries.map(([name, inner]) => [name, decode(inner)]));
}

const vrl = loadVrl();

function run(source: string, targets: readonly Value[]): readonly Outcome[] {
  const ran = vrl.run(source, { events: targets.map(encode) });
  if ("error" in ran) return targets.map(() => ({ kind: "error", message: ran.error }));
  return ran.outcomes.map((outcome) =>
    outcome.kind === "done"
      ? { kind: "done", target: decode(outcome.target), result: decode(outcome.result) }
      : outcome,
  );
}

function answer(request: Request): Response {
  const { id } = request;
  try {
    if (request.kind === "run") {
      return { id, kind: "ran", outcomes: run(request.source, request.targets) };
    }
    const { report } = vrl.check(request.source, { condition: request.condition });
    return { id, kind: "checked", report };
  } catch (error) {
    return { id, kind: "broken", message: error instanceof Error ? error.message : String(error) };
  }
}

function send(message: Response | "ready"): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a worker has no origin
  parentPort?.postMessage(message);
}

parentPort?.on("message", (request: Request) => send(answer(request)));
send("ready");
