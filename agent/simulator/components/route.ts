import { type BuildContext, BuildError, type Transform } from "../component.ts";
import { at, bool, isRecord } from "../config.ts";
import type { SimEvent } from "../event.ts";
import { conditionSource, judge } from "./filter.ts";

/** The routes of the options, in order: `{name: condition}`. */
export function routesOf(
  options: Readonly<Record<string, unknown>>,
): readonly (readonly [string, string])[] {
  const routes = at(options, "route");
  return Object.entries(isRecord(routes) ? routes : {}).map(([name, condition]) => [
    name,
    conditionSource(condition),
  ]);
}

export async function route(context: BuildContext): Promise<Transform> {
  const { options } = context.component;
  const routes = routesOf(options);
  for (const [, source] of routes) {
    const errors = await context.vrl.checkCondition(source);
    if (errors !== undefined) throw new BuildError(errors);
  }
  const unmatched = bool(options, "reroute_unmatched", true);
  return {
    kind: "transform",
    async transform(events, send) {
      const matched = new Set<SimEvent>();
      for (const [name, source] of routes) {
        const verdicts = await judge(context, source, events);
        const taken = events.filter((_, index) => verdicts[index]);
        for (const event of taken) matched.add(event);
        await send(taken, name);
      }
      if (unmatched)
        await send(
          events.filter((event) => !matched.has(event)),
          "_unmatched",
        );
    },
  };
}
