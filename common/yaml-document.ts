import { parseDocument, type Document } from "yaml";
import { shapeProblems } from "./yaml-shape.ts";

/** A text as a document that can be edited in place, or what is wrong with it. */
export type ReadDocument =
  | { readonly kind: "read"; readonly document: Document }
  | { readonly kind: "unreadable"; readonly problems: readonly string[] };

/**
 * Parses YAML in a time that grows with its length: the parser's own search for duplicate keys grows with its
 * square, and half a megabyte of keys would stop the process for seconds. Never throws.
 */
export function readDocument(text: string): ReadDocument {
  try {
    const document = parseDocument(text, { intAsBigInt: true, merge: true, uniqueKeys: false });
    const problems = document.errors.map((error) => error.message);
    if (problems.length === 0)
      problems.push(...shapeProblems(document).map(({ message }) => message));
    return problems.length === 0
      ? { kind: "read", document }
      : { kind: "unreadable", problems: problems.slice(0, 20) };
  } catch (error) {
    // Deep nesting exhausts the parser's stack.
    return {
      kind: "unreadable",
      problems: [error instanceof Error ? error.message : "unreadable"],
    };
  }
}
