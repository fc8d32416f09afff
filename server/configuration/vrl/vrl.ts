import { findingsIn, withoutReferences } from "#vrl/findings.ts";
import type { VrlChecked, VrlCompileOptions, VrlToCheck } from "#vrl/vrl.ts";
import { isRecord, type GraphComponent, type ParsedText, type Problem } from "../graph.ts";

/** A VRL program in a configuration. */
export interface VrlProgram {
  /** Undefined for one that stands at the top level, in a unit test. */
  readonly component: GraphComponent | undefined;
  readonly path: readonly (string | number)[];
  readonly source: string;
  /** Conditions change nothing and give a boolean. */
  readonly condition: boolean;
  /** It makes the event of a unit test. */
  readonly testInput?: true;
}

/** The options of transforms that are conditions. */
const conditionOptions: Readonly<Record<string, readonly string[]>> = {
  filter: ["condition"],
  delay: ["condition"],
  reduce: ["starts_when", "ends_when"],
  sample: ["exclude"],
  throttle: ["exclude"],
  window: ["flush_when", "forward_when"],
};

/** Finds the VRL programs of a component: those of remap, conditions written in VRL, and those of sources. */
export function vrlPrograms(component: GraphComponent): readonly VrlProgram[] {
  const { config, type } = component;
  if (component.kind === "source") return sourcePrograms(component);
  if (component.kind !== "transform") return [];
  if (type === "remap") {
    const { source } = config;
    return typeof source === "string"
      ? [{ component, path: ["source"], source, condition: false }]
      : [];
  }
  const condition = (value: unknown, path: readonly (string | number)[]): VrlProgram[] => {
    if (typeof value === "string") return [{ component, path, source: value, condition: true }];
    if (isRecord(value) && value["type"] === "vrl" && typeof value["source"] === "string") {
      const { source } = value;
      return [{ component, path: [...path, "source"], source, condition: true }];
    }
    return [];
  };
  if (type === "route") {
    const { route } = config;
    return isRecord(route)
      ? Object.entries(route).flatMap(([name, value]) => condition(value, ["route", name]))
      : [];
  }
  if (type === "exclusive_route") {
    const { routes } = config;
    return Array.isArray(routes)
      ? routes.flatMap((route: unknown, index) =>
          isRecord(route) ? condition(route["condition"], ["routes", index, "condition"]) : [],
        )
      : [];
  }
  return (conditionOptions[type] ?? []).flatMap((name) => condition(config[name], [name]));
}

/** Programs that decode, and those that decide who may send. The latter may change metadata, as no condition may. */
function sourcePrograms(component: GraphComponent): readonly VrlProgram[] {
  const { decoding, auth } = component.config;
  const vrl = isRecord(decoding) && decoding["codec"] === "vrl" ? decoding["vrl"] : undefined;
  const custom = isRecord(auth) && auth["strategy"] === "custom" ? auth : undefined;
  const places: readonly (readonly [unknown, readonly string[]])[] = [
    [isRecord(vrl) ? vrl["source"] : undefined, ["decoding", "vrl", "source"]],
    [custom?.["source"], ["auth", "source"]],
  ];
  return places.flatMap(([source, path]) =>
    typeof source === "string" ? [{ component, path, source, condition: false }] : [],
  );
}

/** What Vector would say of a program, with each finding at its place in the document. */
export function problemsOf(
  { component, path, source }: VrlProgram,
  checked: VrlChecked,
  parsed: ParsedText,
  document: string,
): readonly Problem[] {
  if (checked.diagnostics.length === 0) return [];
  const componentKey = component?.key ?? "";
  const scalar = parsed.locate(componentKey, path);
  return findingsIn(source, checked, document, scalar).map((finding) => ({
    ...finding,
    componentKey,
    field: path.join("."),
  }));
}

/** A program as the compiler is asked about it. */
export function toCheck(
  { source, condition, testInput }: VrlProgram,
  options: VrlCompileOptions,
): VrlToCheck {
  const input = testInput === undefined ? {} : { testInput };
  return { source: withoutReferences(source), options: { ...options, condition, ...input } };
}
