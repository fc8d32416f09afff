import type { Report } from "./check.ts";
import type { PipelineGraph } from "../graph.ts";
import { clash, listenersOf, type Listener, type Neighbour } from "./listeners.ts";

/**
 * Finds ports that are used twice: in one pipeline the second one can never listen; another pipeline on the same host
 * may, so that the one which starts last fails.
 */
export function checkListeners(
  graph: PipelineGraph,
  neighbours: readonly Neighbour[],
  report: Report,
): void {
  const before: Listener[] = [];
  for (const component of graph.components) {
    for (const listener of listenersOf(component)) {
      const own = before.find((other) => clash(listener, other));
      const neighbour = neighbours.find(({ listeners }) =>
        listeners.some((other) => clash(listener, other)),
      );
      if (own !== undefined) {
        report(
          component,
          listener.path,
          own.componentKey === component.key
            ? `${component.key} listens on ${listener.text} twice`
            : `${own.componentKey} listens on ${own.text} already`,
        );
      } else if (neighbour !== undefined && listener.protocol !== "other") {
        const theirs = neighbour.listeners.find((other) => clash(listener, other));
        report(
          component,
          listener.path,
          `the pipeline ${neighbour.name} listens on ${theirs?.text} too (${theirs?.componentKey}), and some hosts run both: only one of them can`,
          "warning",
        );
      }
      before.push(listener);
    }
  }
}
