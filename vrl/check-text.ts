import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { findingsIn, withoutReferences, type Finding } from "./findings.ts";
import type { VrlChecked, VrlCompileOptions, VrlKind } from "./vrl.ts";

/** A program in a configuration, and how Vector compiles it. */
export interface ProgramPlace {
  /** Empty for one that stands at the top level, in a unit test. */
  readonly componentKey: string;
  /** Steps below the component. */
  readonly path: readonly string[];
  readonly options: VrlCompileOptions;
  /** What is certain of the fields that it names, where that may make it fail. */
  readonly certain?: VrlKind;
}

type Check = (source: string, options: VrlCompileOptions) => VrlChecked;

export interface ProgramFinding extends Finding {
  readonly componentKey: string;
  /** Dotted path below the component. */
  readonly field: string;
}

/** Larger programs are left to the hosts' own Vector: the compiler's time grows faster than their length. */
export const maximumVrlLength = 65_536;

const sections = ["sources", "transforms", "sinks"];

/**
 * Compiles the programs of a text anew where they are already known to be, and says what the server will say of them.
 * Programs that are not written at their place, but repeated or merged in from elsewhere, are left to the server.
 */
export function checkText(
  text: string,
  programs: readonly ProgramPlace[],
  check: Check,
): readonly ProgramFinding[] {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return [];
  return programs.flatMap(({ componentKey, path, options, certain }) => {
    const scalar = scalarAt(document.contents, componentKey, path);
    if (scalar === undefined || scalar.value.length > maximumVrlLength) return [];
    const vector = check(withoutReferences(scalar.value), options);
    const checked =
      vector.diagnostics.length > 0 || certain === undefined
        ? vector
        : certainFailures(scalar.value, certain, options, check);
    return findingsIn(scalar.value, checked, text, scalar.span).map((finding) => ({
      ...finding,
      componentKey,
      field: path.join("."),
    }));
  });
}

/** The compiler's code for an argument that can never have the type that a function takes. */
const invalidArgument = 110;

/** Whether events have fields that may make a program fail on all of them: most functions take texts. */
export function hasFailingFields(kind: VrlKind): boolean {
  const known = typeof kind === "object" ? (kind.object?.known ?? {}) : {};
  return Object.values(known).some(
    (field) => typeof field === "object" && field.types.join() !== "bytes",
  );
}

/** What Vector accepts in a program, and what fails on every event that comes to it. */
export function certainFailures(
  source: string,
  certain: VrlKind,
  options: VrlCompileOptions,
  check: Check,
): VrlChecked {
  const { diagnostics } = check(withoutReferences(source), { ...options, target: [certain] });
  return {
    diagnostics: diagnostics
      .filter(({ code }) => code === invalidArgument)
      .map((diagnostic) => ({
        ...diagnostic,
        severity: "warning",
        message: `fails on every event: ${diagnostic.message}`,
      })),
    report: "",
  };
}

function scalarAt(
  root: unknown,
  key: string,
  path: readonly string[],
): { readonly value: string; readonly span: NonNullable<Finding["span"]> } | undefined {
  const starts =
    key === "" ? [root] : sections.map((section) => childOf(childOf(root, section), key));
  const start = starts.find((node) => node !== undefined);
  const node = path.reduce<unknown>(childOf, start);
  if (!isScalar(node) || typeof node.value !== "string" || node.range == null) return undefined;
  const [from, to] = node.range;
  return { value: node.value, span: { from, to: Math.max(to, from + 1) } };
}

function childOf(node: unknown, step: string): unknown {
  if (isSeq(node)) return node.items[Number(step)];
  if (!isMap(node)) return undefined;
  return node.items.find(({ key }) => String(isScalar(key) ? key.value : key) === step)?.value;
}
