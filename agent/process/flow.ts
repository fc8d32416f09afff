import { countersSince, type ComponentDelta, type Reading } from "../vector/counters.ts";
import { parsePrometheus } from "../vector/prometheus.ts";

/** What the components of a process did between two looks at its metrics page. */
export interface Flow {
  readonly received: number;
  readonly sent: number;
  readonly errors: number;
  /** Sources took events in and no other component has seen one. */
  readonly stalled: boolean;
}

export function flowOf(components: readonly ComponentDelta[]): Flow {
  const sum = (value: (delta: ComponentDelta) => number): number =>
    components.reduce((total, delta) => total + value(delta), 0);
  const received = sum(({ kind, receivedEvents, sentEvents }) =>
    kind === "source" ? Math.max(receivedEvents, sentEvents) : 0,
  );
  return {
    received,
    stalled:
      received > 0 &&
      components.every(({ kind, receivedEvents }) => kind === "source" || receivedEvents === 0),
    sent: sum(({ kind, sentEvents }) => (kind === "sink" ? sentEvents : 0)),
    errors: sum(({ errors, discardedUnintentional }) => errors + discardedUnintentional),
  };
}

/** Compares the pages of one process with the first of them. */
export class FlowMeter {
  #base: Reading | undefined;

  /** What each component did since the first page that was given; nothing for that one. */
  since(page: string): readonly ComponentDelta[] {
    const { reading, components } = countersSince(this.#base ?? new Map(), parsePrometheus(page));
    if (this.#base !== undefined) return components;
    this.#base = reading;
    return [];
  }
}
