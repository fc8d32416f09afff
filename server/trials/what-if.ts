import { plainJson } from "#vrl/values.ts";
import type { Vrl } from "#vrl/vrl.ts";
import type { Catalogue } from "../configuration/catalogue.ts";
import type { PipelineGraph } from "../configuration/graph.ts";
import { outputId } from "../configuration/ports.ts";
import { wire, type Wiring } from "../configuration/wiring.ts";
import { sampledEvent } from "./events.ts";
import type { Step } from "./transforms.ts";
import { Walk, type Emitted } from "./walk.ts";

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
  /**
   * `error`: a program or condition failed on it; what left is in `after` all the same. `dropped`: it went nowhere, or
   * to the output for dropped events, which `after` tells; `error` tells whether a failure is the reason.
   */
  readonly verdict: "unchanged" | "modified" | "dropped" | "error";
  readonly before: string;
  readonly after: readonly { readonly output: string; readonly json: string }[];
  readonly error: string;
}

/** Of all texts of an answer, in UTF-16 code units. */
const maximumLength = 4_194_304;

/**
 * Runs the transforms of a draft over sampled events, which are JSON by component, or by output. Where a transform runs
 * only in Vector, those that were sampled of it go on from there.
 */
export function tryOnSample(
  graph: PipelineGraph,
  catalogue: Catalogue,
  vrl: Vrl,
  samples: ReadonlyMap<string, readonly string[]>,
): readonly TransformTrial[] {
  const wiring = wire(graph, catalogue);
  const emitted = sampledOf(wiring, samples);
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

function sampledOf(wiring: Wiring, samples: ReadonlyMap<string, readonly string[]>): Emitted {
  return (component, output) => {
    const named = output === null ? undefined : samples.get(outputId(component.key, output));
    const sampled = named ?? samples.get(component.key) ?? [];
    if (sampled.length === 0) return { unknown: "no events of it were sampled" };
    const ids = wiring.outputs(component).map(({ name }) => outputId(component.key, name));
    if (component.kind === "transform" && ids.length > 1 && named === undefined) {
      return { unknown: "events of all its outputs were sampled together" };
    }
    const types = ids.flatMap((id) => wiring.emitted(id));
    const events = sampled
      .map((json, index) => sampledEvent(json, index, types))
      // A source with several outputs has one for each kind of signal.
      .filter(({ signal }) => component.kind !== "source" || output === null || signal === output);
    const logs = events.flatMap(({ log }) => log ?? []);
    return logs.length === events.length ? logs : { unknown: "only logs can be tried here" };
  };
}

function judge({ input, outputs, error, dropped }: Step): EventTrial {
  const before = plainJson(input.value);
  const after = [...outputs].flatMap(([port, events]) =>
    events.map(({ value }) => ({ output: port ?? "", json: plainJson(value) })),
  );
  const same = after.every(({ json }) => json === before);
  const untroubled = after.length === 0 ? "dropped" : same ? "unchanged" : "modified";
  return {
    verdict: dropped ? "dropped" : error === "" ? untroubled : "error",
    before,
    after,
    error,
  };
}
