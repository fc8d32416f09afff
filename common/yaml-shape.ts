import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  visit,
  type Document,
  type Node,
  type Scalar,
  type YAMLParseError,
} from "yaml";

/** Something by which a text is no configuration, whatever it says. */
export interface ShapeProblem {
  readonly message: string;
  readonly node: Node;
}

const maximumProblems = 20;
const largestInteger = 2n ** 63n - 1n;

/** What the parser says, for people: in one line, without the place. */
export function parserMessage({ code, message }: YAMLParseError): string {
  if (code === "MULTIPLE_DOCS") return "there is a second document behind ---: one is expected";
  return (message.split("\n", 1)[0] ?? message).replace(/ at line \d+, column \d+:?$/, "");
}

/**
 * Finds what the parser lets pass and nobody could read: keys that are there twice (its own search takes a time that
 * grows with the square of their number), aliases within what they stand for, merges of what is no map, and integers
 * that Vector cannot hold.
 */
export function shapeProblems(document: Document): readonly ShapeProblem[] {
  const problems: ShapeProblem[] = [];
  const report = (node: Node, message: string): symbol | undefined => {
    problems.push({ node, message });
    return problems.length === maximumProblems ? visit.BREAK : undefined;
  };
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<string>();
      for (const { key, value } of items) {
        if (!isScalar(key)) continue;
        const name = isMergeKey(key) ? "<<" : String(key.value);
        const stop =
          (seen.has(name) && report(key, `the key ${name.slice(0, 100)} is there twice`)) ||
          (isMergeKey(key) &&
            !isMergeable(document, value) &&
            report(key, "<< takes a map, or the alias of one like *name"));
        if (stop) return stop;
        seen.add(name);
      }
      return undefined;
    },
    Scalar(_key, node) {
      const { value, source = "" } = node;
      const isNumber = typeof value === "number" || typeof value === "bigint";
      return isNumber && /^\+?\d{19,}$/.test(source) && BigInt(source) > largestInteger
        ? report(
            node,
            `${source.slice(0, 100)} is too large: Vector takes integers to ${largestInteger}`,
          )
        : undefined;
    },
    Alias(_key, alias, path) {
      const isInside = path.some(
        (node) =>
          "anchor" in node && node.anchor === alias.source && alias.resolve(document) === node,
      );
      return isInside
        ? report(alias, `the alias *${alias.source} stands within what it stands for`)
        : undefined;
    },
  });
  return problems;
}

/** Whether a key brings in what another map has: in quotes it is a key like others. */
export function isMergeKey({ value }: Scalar): boolean {
  return typeof value === "symbol" && value.description === "<<";
}

function isMergeable(document: Document, value: unknown): boolean {
  const source = isAlias(value) ? value.resolve(document) : value;
  const items: readonly unknown[] = isSeq(source) ? source.items : [source];
  return items.every((item) => isMap(isAlias(item) ? item.resolve(document) : item));
}
