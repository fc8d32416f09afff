import { describe, expect, test } from "vitest";
import { countersSince } from "./counters.ts";
import { parsePrometheus } from "./prometheus.ts";
import { reservedPrefix } from "./reserved.ts";

const line = (name: string, labels: string, value: number): string =>
  `vector_component_${name}_total{${labels}} ${value}`;
const of = (id: string, kind: string, more = ""): string =>
  `component_id="${id}",component_kind="${kind}",component_type="x"${more}`;

const page = (...lines: readonly string[]) => parsePrometheus(lines.join("\n"));

describe("countersSince", () => {
  test("sums all series of a component (S1)", () => {
    const { components } = countersSince(
      new Map(),
      page(
        line("sent_events", of("r", "transform", ',output="a"'), 3),
        line("sent_events", of("r", "transform", ',output="b"'), 4),
      ),
    );
    expect(components).toMatchObject([{ componentId: "r", sentEvents: 7 }]);
    expect(components[0]?.sentByOutput).toEqual(
      new Map([
        ["a", 3],
        ["b", 4],
      ]),
    );
  });

  test("keeps intentional discards apart and leaves injected components out", () => {
    const { components } = countersSince(
      new Map(),
      page(
        line("discarded_events", of("f", "transform", ',intentional="true"'), 5),
        line("discarded_events", of("f", "transform", ',intentional="false"'), 2),
        line("sent_events", of(`${reservedPrefix}x`, "source"), 99),
      ),
    );
    expect(components).toMatchObject([
      { componentId: "f", discardedIntentional: 5, discardedUnintentional: 2 },
    ]);
  });

  test("gives the difference, and after an expiry the new value: never less than nothing (S2)", () => {
    const first = countersSince(new Map(), page(line("received_events", of("s", "source"), 100)));
    const second = countersSince(
      first.reading,
      page(line("received_events", of("s", "source"), 130)),
    );
    expect(second.components).toMatchObject([{ receivedEvents: 30 }]);
    const third = countersSince(
      second.reading,
      page(line("received_events", of("s", "source"), 4)),
    );
    expect(third.components).toMatchObject([{ receivedEvents: 4 }]);
  });
});
