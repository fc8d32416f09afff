import type { Vrl, VrlCompileOptions, VrlDiagnostic } from "#vrl/vrl.ts";
import { isRecord, type GraphComponent, type ParsedText, type Problem } from "./graph.ts";
import { placeInScalar } from "./scalar-text.ts";

/** A VRL program in a configuration. */
export interface VrlProgram {
  readonly component: GraphComponent;
  readonly path: readonly (string | number)[];
  readonly source: string;
  /** Conditions change nothing and give a boolean. */
  readonly condition: boolean;
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

/** More of one program tell nobody more. */
const maximumProblems = 20;

/** Compiles a program and says what Vector would say of it, with each finding at its place in the document. */
export function checkVrl(
  { component, path, source, condition }: VrlProgram,
  parsed: ParsedText,
  document: string,
  options: VrlCompileOptions,
  engine: Vrl,
): readonly Problem[] {
  const { diagnostics } = engine.check(withoutReferences(source), { ...options, condition });
  const scalar = parsed.locate(component.key, path);
  return diagnostics.slice(0, maximumProblems).map((diagnostic) => {
    const label = primaryLabel(diagnostic);
    return {
      severity: diagnostic.severity,
      message: describe(diagnostic),
      componentKey: component.key,
      field: path.join("."),
      span:
        scalar === undefined || label === undefined
          ? scalar
          : placeInScalar(
              document,
              scalar,
              source,
              codeUnits(source, label.span[0]),
              codeUnits(source, label.span[1]),
            ),
    };
  });
}

/** References are pasted in later. A number of the same length stands where texts and numbers can. */
function withoutReferences(source: string): string {
  return source.replaceAll(/\b(?:SECRET|CERT|VAR)\[[^[\]\s]+\]/g, (reference) =>
    "0".repeat(Buffer.byteLength(reference)),
  );
}

/** UTF-8 bytes from the start as UTF-16 code units. */
export function codeUnits(source: string, bytes: number): number {
  return Buffer.from(source).subarray(0, bytes).toString().length;
}

function primaryLabel({ labels }: VrlDiagnostic): VrlDiagnostic["labels"][number] | undefined {
  return labels.find(({ primary }) => primary) ?? labels[0];
}

/** A finding as one line for people. */
function describe(diagnostic: VrlDiagnostic): string {
  const { severity, code, message } = diagnostic;
  if (code === 0) return message;
  const label = primaryLabel(diagnostic);
  const more = label === undefined || label.message === "" ? "" : ` (${label.message})`;
  return `VRL ${severity} ${code}: ${message}${more}`;
}
