import type { Vrl } from "#vrl/vrl.ts";
import type { Catalogue } from "../configuration/catalogue.ts";
import type { GraphComponent, PipelineGraph } from "../configuration/graph.ts";
import { wire } from "../configuration/wiring.ts";
import { eventFromJson, toJson } from "./events.ts";
import type { Step } from "./transforms.ts";
import { Walk, type Known } from "./walk.ts";

/** What a draft's transform does with the sampled events that reach it. */
export interface TransformTrial {
  readonly componentKey: string;
  readonly componentType: string;
  /** Why this is not known; empty when it is. */
  readonly unknown: string;
  readonly events: readonly EventTrial[];
  /** Events that are not among them, because the answer has become too large. */
  readonly omitted: number;
}

export interface EventTrial {
  /** `error`: a program or condition failed on it; what left is in `after` all the same. */
  readonly verdict: "unchanged" | "modified" | "dropped" | "error";
  readonly before: string;
  readonly after: readonly { readonly output: string; readonly json: string }[];
  readonly error: string;
}

/** Of all texts of an answer, in UTF-16 code units. */
const maximumLength = 4_194_304;

/**
 * Runs the transforms of a draft over sampled events, which are JSON by component. Where a transform runs only in
 * Vector, those that were sampled of it go on from there.
 */
export function tryOnSample(
  graph: PipelineGraph,
  catalogue: Catalogue,
  vrl: Vrl,
  samples: ReadonlyMap<string, readonly string[]>,
): readonly TransformTrial[] {
  const emitted = (component: GraphComponent): Known => {
    const sampled = samples.get(component.key);
    if (sampled === undefined || sampled.length === 0) {
      return { unknown: "no events of it were sampled" };
    }
    const events = sampled.map((json, index) => eventFromJson(json, index));
    const logs = events.filter((event) => event !== undefined);
    return logs.length === events.length ? logs : { unknown: "only logs can be tried here" };
  };
  const wiring = wire(graph, catalogue);
  const walk = new Walk(graph, wiring, catalogue, vrl, new Map(), emitted);
  let left = maximumLength;
  return graph.components
    .filter(({ kind }) => kind === "transform")
    .map((component): TransformTrial => {
      const trial = walk.trial(component);
      const about = { componentKey: component.key, componentType: component.type };
      if ("unknown" in trial) return { ...about, unknown: trial.unknown, events: [], omitted: 0 };
      const events: EventTrial[] = [];
      for (const step of trial) {
        const event = judge(step);
        left -= event.before.length + event.after.reduce((sum, { json }) => sum + json.length, 0);
        if (left < 0) break;
        events.push(event);
      }
      return { ...about, unknown: "", events, omitted: trial.length - events.length };
    });
}

function judge({ input, outputs, error }: Step): EventTrial {
  const before = toJson(input.value);
  const after = [...outputs].flatMap(([port, events]) =>
    events.map(({ value }) => ({ output: port ?? "", json: toJson(value) })),
  );
  const same = after.every(({ json }) => json === before);
  const verdict =
    error !== "" ? "error" : after.length === 0 ? "dropped" : same ? "unchanged" : "modified";
  return { verdict, before, after, error };
}
