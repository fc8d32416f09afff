import { appendFile, mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { encoderOf } from "../codec.ts";
import { type BuildContext, BuildError, type Sink } from "../component.ts";
import { bool, text } from "../config.ts";
import type { SimEvent, Value } from "../event.ts";

const two = (value: number): string => String(value).padStart(2, "0");

/** The strftime specifiers that paths use, in UTC. */
const specifiers: Readonly<Record<string, (date: Date) => string>> = {
  Y: (date) => String(date.getUTCFullYear()),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  "%": () => "%",
};

/** A template with `%Y-%m-%d` and `{{ field }}`; undefined where the event has no such field. */
export function renderTemplate(template: string, event: SimEvent): string | undefined {
  const fields: Readonly<Record<string, Value>> =
    event.kind === "log" ? event.fields : { name: event.name, ...event.tags };
  const time = event.kind === "log" ? event.fields["timestamp"] : event.timestamp;
  const date = time instanceof Date ? time : new Date();
  let missing = false;
  const path = template
    .replace(/%([A-Za-z%])/g, (whole, letter: string) => specifiers[letter]?.(date) ?? whole)
    .replace(/\{\{\s*\.?([\w.]+)\s*\}\}/g, (_, name: string) => {
      const value = name.split(".").reduce<Value | undefined>((inner, key) => {
        return typeof inner === "object" && inner !== null
          ? (inner as Readonly<Record<string, Value>>)[key]
          : undefined;
      }, fields);
      if (value !== undefined && value !== null && typeof value !== "object") return String(value);
      missing = true;
      return "";
    });
  return missing ? undefined : path;
}

export function fileSink({ component, meter, log }: BuildContext): Sink {
  const { options } = component;
  const template = text(options, "path") ?? "";
  if (
    /^\s*\{\{/.test(template) &&
    !bool(options, "dangerously_allow_unconfined_template_resolution", false)
  ) {
    throw new BuildError(
      "template starts with a field, so it could resolve to any path: give it a literal prefix",
    );
  }
  const encoder = encoderOf(options, true);
  return {
    kind: "sink",
    healthcheck: () => Promise.resolve(),
    async run(take) {
      for (let events = await take(1000); events !== undefined; events = await take(1000)) {
        for (const [path, group] of Map.groupBy(events, (event) =>
          renderTemplate(template, event),
        )) {
          const output = encoder.encode(group);
          try {
            if (path === undefined) throw new Error("a field of the path's template is missing");
            await mkdir(dirname(path), { recursive: true });
            await appendFile(path, output);
            meter.sent(group);
            meter.sentBytes("file", Buffer.byteLength(output));
          } catch (error) {
            const cause = error instanceof Error ? error.message : String(error);
            log.error("vector::internal_events::file", "Unable to open the file.", {
              error: cause,
              error_type: "io_failed",
              stage: "sending",
            });
            meter.error("io_failed", "sending");
            meter.discarded(group.length, false);
          }
        }
      }
    },
  };
}
