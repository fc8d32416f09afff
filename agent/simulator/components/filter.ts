import { type BuildContext, BuildError, type Transform } from "../component.ts";
import { at, isRecord, text } from "../config.ts";
import type { SimEvent } from "../event.ts";

/** The source text of a condition option: a string, or `{type: vrl, source}`. */
export function conditionSource(condition: unknown): string {
  if (typeof condition === "string") return condition;
  if (!isRecord(condition)) throw new BuildError("missing condition");
  const type = condition["type"] ?? "vrl";
  if (type === "vrl") return text(condition, "source") ?? "";
  throw new BuildError(`vector-sim does not run conditions of the type ${JSON.stringify(type)}`);
}

/** Runs a condition over events; what fails counts as false, and as an error. */
export async function judge(
  { vrl, meter, log }: BuildContext,
  source: string,
  events: readonly SimEvent[],
): Promise<readonly boolean[]> {
  const verdicts = await vrl.decide(source, events);
  return verdicts.map((verdict) => {
    if (verdict !== undefined) return verdict;
    meter.error("script_failed", "processing");
    log.error("vector::internal_events::conditions", "VRL condition execution failed.", {
      error_type: "script_failed",
      stage: "processing",
    });
    return false;
  });
}

export async function filter(context: BuildContext): Promise<Transform> {
  const source = conditionSource(at(context.component.options, "condition"));
  const errors = await context.vrl.checkCondition(source);
  if (errors !== undefined) throw new BuildError(errors);
  return {
    kind: "transform",
    async transform(events, send) {
      const verdicts = await judge(context, source, events);
      const passed = events.filter((_, index) => verdicts[index]);
      context.meter.discarded(events.length - passed.length, true);
      await send(passed);
    },
  };
}
