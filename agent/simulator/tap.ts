import { globToRegExp } from "./config-check.ts";
import type { Component } from "./config.ts";
import type { SimEvent } from "./event.ts";
import { outputId, outputsOf } from "./ports.ts";

export interface TapPatterns {
  readonly outputs: readonly string[];
  readonly inputs: readonly string[];
}

export interface TapMatch {
  /** Whether the output is tapped. */
  readonly taps: (outputId: string) => boolean;
  readonly matched: ReadonlySet<string>;
  /** Warnings about patterns that can never match what they name. */
  readonly warnings: readonly string[];
}

/** Which outputs the patterns tap in a topology. An input pattern taps what its components read. */
export function matchTaps(patterns: TapPatterns, components: readonly Component[]): TapMatch {
  const outputs = components.flatMap((component) =>
    outputsOf(component).map(({ port }) => outputId(component.id, port)),
  );
  const matched = new Set<string>();
  const tapped = new Set<string>();
  const warnings: string[] = [];
  const namesOf = (pattern: string, kind: Component["kind"]): string[] =>
    components
      .filter((component) => component.kind === kind && globToRegExp(pattern).test(component.id))
      .map(({ id }) => id);
  const take = (pattern: string, ids: readonly string[]): void => {
    if (ids.length > 0) matched.add(pattern);
    for (const id of ids) tapped.add(id);
  };
  for (const pattern of patterns.outputs) {
    take(
      pattern,
      outputs.filter((id) => globToRegExp(pattern).test(id)),
    );
    const sinks = namesOf(pattern, "sink");
    if (sinks.length > 0) {
      warnings.push(
        `[tap] Warning: sink outputs cannot be tapped. Output pattern '${pattern}' matches sinks ${JSON.stringify(sinks)}`,
      );
    }
  }
  for (const pattern of patterns.inputs) {
    const readers = components.filter(({ id }) => globToRegExp(pattern).test(id));
    take(
      pattern,
      readers.flatMap(({ inputs }) => inputs),
    );
    const sources = namesOf(pattern, "source");
    if (sources.length > 0) {
      warnings.push(
        `[tap] Warning: source inputs cannot be tapped. Input pattern '${pattern}' matches sources ${JSON.stringify(sources)}`,
      );
    }
  }
  return { taps: (id) => tapped.has(id), matched, warnings };
}

export interface Tapped {
  readonly componentId: string;
  readonly event: SimEvent;
}

/** Keeps a fair sample of at most `limit` events, in the order of their arrival. */
export class Reservoir {
  readonly #limit: number;
  #kept: { readonly order: number; readonly tapped: Tapped }[] = [];
  #seen = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(tapped: Tapped): void {
    const order = this.#seen;
    this.#seen += 1;
    if (this.#kept.length < this.#limit) {
      this.#kept.push({ order, tapped });
      return;
    }
    const index = Math.floor(Math.random() * this.#seen);
    if (index < this.#limit) this.#kept[index] = { order, tapped };
  }

  flush(): readonly Tapped[] {
    const kept = this.#kept.toSorted((a, b) => a.order - b.order).map(({ tapped }) => tapped);
    this.#kept = [];
    this.#seen = 0;
    return kept;
  }
}
