import { readFileSync } from "node:fs";
import { type BuildContext, BuildError, type Transform } from "../component.ts";
import { bool, type Options, strings, text } from "../config.ts";
import type { EventFields, SimEvent, Value } from "../event.ts";
import { targetOf } from "../vrl/engine.ts";
import type { Outcome } from "../vrl/protocol.ts";

const target = "vector::internal_events::remap";

/** The program of a remap transform, from its text or its files. Throws a BuildError. */
export function programOf(options: Options): string {
  const [source, file, files] = [
    text(options, "source"),
    text(options, "file"),
    strings(options, "files"),
  ];
  const given = [source !== undefined, file !== undefined, files.length > 0].filter(Boolean).length;
  if (given !== 1) {
    throw new BuildError("must provide exactly one of `source` or `file` or `files` configuration");
  }
  if (source !== undefined) return source;
  return (file === undefined ? files : [file])
    .map((path) => {
      try {
        return readFileSync(path, "utf8");
      } catch {
        throw new BuildError(
          `Could not open vrl program ${JSON.stringify(path)}: No such file or directory (os error 2)`,
        );
      }
    })
    .join("\n");
}

const isFields = (value: Value): value is EventFields =>
  typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);

/** What a program made of an event: an array becomes several events, any other root a message. */
function eventsFrom(event: SimEvent, value: Value): readonly SimEvent[] {
  if (event.kind === "log") {
    if (Array.isArray(value)) return value.flatMap((item: Value) => eventsFrom(event, item));
    return [{ ...event, fields: isFields(value) ? value : { message: value } }];
  }
  if (!isFields(value)) return [event];
  const { name, namespace, tags } = value;
  const kept = Object.entries(tags !== undefined && isFields(tags) ? tags : {});
  return [
    {
      ...event,
      name: typeof name === "string" ? name : event.name,
      namespace: typeof namespace === "string" ? namespace : undefined,
      tags: Object.fromEntries(
        kept.map(([key, tag]) => [key, typeof tag === "string" ? tag : JSON.stringify(tag)]),
      ),
    },
  ];
}

export async function remap(context: BuildContext): Promise<Transform> {
  const { component, vrl, meter, log } = context;
  const { options, id } = component;
  const source = programOf(options);
  const errors = await vrl.checkProgram(source);
  if (errors !== undefined) throw new BuildError(errors);
  const drops = {
    error: bool(options, "drop_on_error", false),
    abort: bool(options, "drop_on_abort", true),
  };
  const reroute = bool(options, "reroute_dropped", false);

  const report = (outcome: Exclude<Outcome, { kind: "done" }>): void => {
    const dropped = drops[outcome.kind];
    if (outcome.kind === "error") {
      const error = JSON.stringify(outcome.message);
      log.error(target, "Mapping failed with event.", {
        error,
        error_type: "conversion_failed",
        stage: "processing",
      });
      meter.error("conversion_failed", "processing");
    }
    if (dropped) meter.discarded(1, outcome.kind === "abort");
  };
  const annotate = (event: SimEvent, outcome: Exclude<Outcome, { kind: "done" }>): SimEvent => {
    const dropped = {
      reason: outcome.kind,
      message: outcome.message,
      component_id: id,
      component_type: "remap",
      component_kind: "transform",
    };
    if (event.kind === "log") {
      const metadata = event.fields["metadata"];
      const others = metadata !== undefined && isFields(metadata) ? metadata : {};
      return { ...event, fields: { ...event.fields, metadata: { ...others, dropped } } };
    }
    const { message: _, ...tags } = dropped;
    const named = Object.entries(tags).map(([key, value]) => [`metadata.dropped.${key}`, value]);
    return { ...event, tags: { ...event.tags, ...Object.fromEntries(named) } };
  };

  return {
    kind: "transform",
    async transform(events, send) {
      const outcomes = await vrl.run(source, events.map(targetOf));
      const passed: SimEvent[] = [];
      const dropped: SimEvent[] = [];
      for (const [index, event] of events.entries()) {
        const outcome = outcomes[index];
        if (outcome === undefined) continue;
        if (outcome.kind === "done") {
          passed.push(...eventsFrom(event, outcome.target));
          continue;
        }
        if (!reroute) report(outcome);
        if (!drops[outcome.kind]) passed.push(event);
        else if (reroute) dropped.push(annotate(event, outcome));
      }
      await send(passed);
      if (reroute) await send(dropped, "dropped");
    },
  };
}
