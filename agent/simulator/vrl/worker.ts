import { parentPort } from "node:worker_threads";
import { check, execute } from "@bpinternal/verel";
import type { Value } from "../event.ts";
import type { Outcome, Request, Response } from "./protocol.ts";

/** Errors that leave the WASM instance unusable. */
const isBroken = (error: unknown): boolean =>
  error instanceof Error && (error.name === "RuntimeError" || error instanceof RangeError);

const isObject = (value: Value | undefined): value is Readonly<Record<string, Value>> =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** Dates go in as text: the engine takes JSON. */
function plain(value: Value): Value {
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(plain);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

// Makes the event's own timestamp a timestamp again, without narrowing its type for the compiler.
const restore = `.timestamp = (parse_timestamp(.timestamp, "%+") ?? .timestamp); `;

function run(source: string, target: Value): Outcome {
  const dated = isObject(target) && target["timestamp"] instanceof Date;
  try {
    const done: { readonly event: Value; readonly result: Value } = execute(
      dated ? restore + source : source,
      plain(target),
    );
    const { event, result } = done;
    const time = isObject(event) ? event["timestamp"] : undefined;
    const back = dated && typeof time === "string" && !Number.isNaN(Date.parse(time));
    return {
      kind: "done",
      target: back && isObject(event) ? { ...event, timestamp: new Date(time) } : event,
      result,
    };
  } catch (error) {
    if (isBroken(error) || !(error instanceof Error)) throw error;
    const message = error.message.replace(/^(Termination|Compilation Error);\n/, "");
    // The engine tells an abort from an error only by its text.
    const aborted =
      /\babort\b/.test(source) &&
      !/^(function call error|can't|expected|unhandled)\b/.test(message);
    return { kind: aborted ? "abort" : "error", message };
  }
}

function answer(request: Request): Response {
  const { id } = request;
  try {
    if (request.kind === "check")
      return { id, kind: "checked", errors: check(request.source).errors };
    return {
      id,
      kind: "ran",
      outcomes: request.targets.map((target) => run(request.source, target)),
    };
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
