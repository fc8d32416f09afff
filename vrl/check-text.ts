import { isMap, isScalar, isSeq, parseDocument } from "yaml";
import { findingsIn, withoutReferences, type Finding } from "./findings.ts";
import type { VrlChecked, VrlCompileOptions } from "./vrl.ts";

/** A program in a configuration, and how Vector compiles it. */
export interface ProgramPlace {
  /** Empty for one that stands at the top level, in a unit test. */
  readonly componentKey: string;
  /** Steps below the component. */
  readonly path: readonly string[];
  readonly options: VrlCompileOptions;
}

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
  check: (source: string, options: VrlCompileOptions) => VrlChecked,
): readonly ProgramFinding[] {
  const document = parseDocument(text, { merge: true });
  if (document.errors.length > 0) return [];
  return programs.flatMap(({ componentKey, path, options }) => {
    const scalar = scalarAt(document.contents, componentKey, path);
    if (scalar === undefined || scalar.value.length > maximumVrlLength) return [];
    const checked = check(withoutReferences(scalar.value), options);
    return findingsIn(scalar.value, checked, text, scalar.span).map((finding) => ({
      ...finding,
      componentKey,
      field: path.join("."),
    }));
  });
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
