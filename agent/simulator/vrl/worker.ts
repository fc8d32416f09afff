import { parentPort } from "node:worker_threads";
import {
  decodeBytes,
  vrlFields,
  vrlFloat,
  vrlForm,
  vrlInteger,
  vrlObject,
  type VrlValue,
} from "#vrl/values.ts";
import { loadVrl } from "#vrl/vrl.ts";
import type { Value } from "../event.ts";
import type { Outcome, Request, Response } from "./protocol.ts";

/** Numbers here are JavaScript's: 1.0 is an integer. */
function encode(value: Value): VrlValue {
  if (typeof value === "number") {
    return Number.isInteger(value) ? vrlInteger(BigInt(value)) : vrlFloat(value);
  }
  if (value instanceof Date) return { $date: value.toISOString() };
  if (Array.isArray(value)) return value.map(encode);
  if (typeof value !== "object" || value === null) return value;
  const fields = Object.entries(value).map(([key, inner]) => [key, encode(inner)] as const);
  return vrlObject(Object.fromEntries(fields));
}

function decode(value: VrlValue): Value {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map(decode);
  const special = vrlForm(value);
  if (special === undefined) {
    const fields = Object.entries(vrlFields(value) ?? {});
    return Object.fromEntries(fields.map(([name, inner]) => [name, decode(inner)]));
  }
  const { form, text } = special;
  if (form === "$date") return new Date(text);
  if (form === "$bytes") return decodeBytes(text);
  return form === "$regex" ? text : Number(text);
}

const vrl = loadVrl();

function run(source: string, targets: readonly Value[]): readonly Outcome[] {
  const ran = vrl.run(source, {
    events: targets.map((target) => ({ value: encode(target) })),
  });
  if ("error" in ran) return targets.map(() => ({ kind: "error", message: ran.error }));
  return ran.outcomes.map((outcome) =>
    outcome.kind === "done"
      ? { kind: "done", target: decode(outcome.value), result: decode(outcome.result) }
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
