import type { Vrl } from "#vrl/vrl.ts";
import type { Catalogue } from "../configuration/catalogue.ts";
import type { GraphComponent, PipelineGraph } from "../configuration/graph.ts";
import { outputId } from "../configuration/ports.ts";
import { eventKindsIn } from "../configuration/vrl/vrl-events.ts";
import type { Wiring } from "../configuration/wiring.ts";
import type { TrialEvent } from "./events.ts";
import { OnlyInVector, runTransform, type Step } from "./transforms.ts";

/** The events of an output, or why they are not known. */
export type Known = readonly TrialEvent[] | { readonly unknown: string };

export function isKnown(events: Known): events is readonly TrialEvent[] {
  return !("unknown" in events);
}

/** What a transform did with all that reached it, or why that is not known. */
export type Trial = readonly Step[] | { readonly unknown: string };

/**
 * Tells what a source emits by an output, and what a transform emits that cannot be run here. The output null is the
 * default one.
 */
export type Emitted = (component: GraphComponent, output: string | null) => Known;

/** Events run through the transforms of a graph, from where they are put in, each transform when it is asked for. */
export class Walk {
  readonly #byKey: ReadonlyMap<string, GraphComponent>;
  readonly #wiring: Wiring;
  readonly #kinds: ReturnType<typeof eventKindsIn>;
  readonly #vrl: Vrl;
  readonly #inserted: ReadonlyMap<string, readonly TrialEvent[]>;
  readonly #trials = new Map<string, Trial>();
  readonly #emitted: Emitted;
  readonly #timezone: string;

  /** `inserted` events come to a transform beside those of its inputs. The graph has no cycle. */
  constructor(
    graph: PipelineGraph,
    wiring: Wiring,
    catalogue: Catalogue,
    vrl: Vrl,
    inserted: ReadonlyMap<string, readonly TrialEvent[]>,
    emitted: Emitted,
  ) {
    this.#byKey = new Map(graph.components.map((component) => [component.key, component]));
    this.#wiring = wiring;
    this.#kinds = eventKindsIn(graph, wiring, catalogue);
    this.#vrl = vrl;
    this.#inserted = inserted;
    this.#emitted = emitted;
    const { timezone } = graph.globalConfig;
    this.#timezone = typeof timezone === "string" ? timezone : "local";
  }

  /** What a transform does with all that reaches it. */
  trial(component: GraphComponent): Trial {
    const known = this.#trials.get(component.key);
    if (known !== undefined) return known;
    const trial = this.#run(component);
    this.#trials.set(component.key, trial);
    return trial;
  }

  /** What leaves by an output, by its id. */
  events(id: string): Known {
    const component = this.#byKey.get(id) ?? this.#byKey.get(id.split(".", 1)[0] ?? id);
    if (component === undefined) return [];
    const port = this.#wiring
      .outputs(component)
      .find(({ name }) => outputId(component.key, name) === id);
    const output = port?.name ?? null;
    if (component.kind === "source") return this.#emitted(component, output);
    const trial = this.trial(component);
    if ("unknown" in trial) {
      const captured = this.#emitted(component, output);
      return isKnown(captured) ? captured : { unknown: trial.unknown };
    }
    return trial.flatMap(({ outputs }) => outputs.get(output) ?? []);
  }

  #run(component: GraphComponent): Trial {
    const events: TrialEvent[] = [...(this.#inserted.get(component.key) ?? [])];
    for (const input of this.#wiring.inputs(component)) {
      const incoming = this.events(input);
      if (!isKnown(incoming)) return { unknown: `${input}: ${incoming.unknown}` };
      events.push(...incoming);
    }
    if (events.length === 0) return [];
    try {
      return runTransform(component, events, {
        vrl: this.#vrl,
        kinds: this.#kinds(component),
        timezone: this.#timezone,
      });
    } catch (error) {
      if (error instanceof OnlyInVector) return { unknown: error.message };
      throw error;
    }
  }
}
