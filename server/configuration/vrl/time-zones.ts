import type { Vrl } from "#vrl/vrl.ts";
import type { Catalogue, ComponentFacts } from "../catalogue.ts";
import { isRecord, type ParsedText, type PipelineGraph, type Problem } from "../graph.ts";

/** Options that name a time zone which Vector does not know: it refuses the configuration. */
export function timeZoneProblems(
  parsed: ParsedText,
  { globalConfig, components }: PipelineGraph,
  catalogue: Catalogue,
  engine: () => Vrl,
): readonly Problem[] {
  const problemAt = (
    options: unknown,
    path: readonly string[],
    componentKey: string,
  ): Problem[] => {
    const name = path.reduce((at, step) => (isRecord(at) ? at[step] : undefined), options);
    // A reference is replaced by its value first.
    if (typeof name !== "string" || name.includes("[") || engine().isTimeZone(name)) return [];
    return [
      {
        severity: "error",
        message: `there is no time zone ${JSON.stringify(name.slice(0, 100))}: use a name of the TZ database like Europe/Berlin, or local`,
        componentKey,
        field: path.join("."),
        span: parsed.locate(componentKey, path),
      },
    ];
  };
  return [
    ...problemAt(globalConfig, ["timezone"], ""),
    ...components.flatMap(({ key, kind, type, config }) => {
      const facts = catalogue.component(kind, type);
      const paths = facts === undefined ? [] : timeZonePaths(facts, catalogue);
      return paths.flatMap((path) => problemAt(config, path, key));
    }),
  ];
}

const pathsOf = new WeakMap<ComponentFacts, readonly (readonly string[])[]>();

function timeZonePaths(
  facts: ComponentFacts,
  catalogue: Catalogue,
): readonly (readonly string[])[] {
  let paths = pathsOf.get(facts);
  if (paths === undefined) {
    paths = catalogue
      .options(facts)
      .map(({ path }) => path.split("."))
      .filter((path) => path.at(-1) === "timezone");
    pathsOf.set(facts, paths);
  }
  return paths;
}
