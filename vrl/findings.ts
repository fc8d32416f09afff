import { placeInScalar } from "#common/scalar-text.ts";
import type { VrlChecked, VrlDiagnostic } from "./vrl.ts";

/** Something that the compiler says of a program, for people. */
export interface Finding {
  readonly severity: "error" | "warning";
  readonly message: string;
  /** Where in the document, in UTF-16 code units; undefined when that is not known. */
  readonly span: { readonly from: number; readonly to: number } | undefined;
}

/** More of one program tell nobody more. */
const maximumFindings = 20;

/** The findings of a program that stands in a document as the value of a scalar. The same on the server and in browsers. */
export function findingsIn(
  source: string,
  { diagnostics }: VrlChecked,
  document: string,
  scalar: Finding["span"],
): readonly Finding[] {
  return diagnostics.slice(0, maximumFindings).map((diagnostic) => {
    const label = primaryLabel(diagnostic);
    return {
      severity: diagnostic.severity,
      message: describe(diagnostic),
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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** References are pasted in later. A number of the same length stands where texts and numbers can. */
export function withoutReferences(source: string): string {
  if (!source.includes("[")) return source;
  return source.replaceAll(/(?:SECRET|CERT|VAR)\[[^[\]\s]+\]/g, (reference) =>
    "0".repeat(encoder.encode(reference).length),
  );
}

/** UTF-8 bytes from the start as UTF-16 code units. */
function codeUnits(source: string, bytes: number): number {
  return decoder.decode(encoder.encode(source).subarray(0, bytes)).length;
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
