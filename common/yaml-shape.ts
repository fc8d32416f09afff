import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Alias,
  type Document,
  type Scalar,
  type YAMLMap,
  type YAMLParseError,
  type YAMLSeq,
} from "yaml";

type Node = Scalar | Alias | YAMLMap | YAMLSeq;

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
  const holders: Node[] = [];
  const report = (node: Node, message: string): void => {
    problems.push({ node, message });
  };
  const look = (node: unknown): void => {
    if (problems.length >= maximumProblems) return;
    if (isScalar(node)) {
      if (isTooLarge(node)) {
        const shown = node.source?.slice(0, 100);
        report(node, `${shown} is too large: Vector takes integers to ${largestInteger}`);
      }
    } else if (isAlias(node)) {
      const { source } = node;
      if (holders.some(({ anchor }) => anchor === source) && holds(holders, node, document)) {
        report(node, `the alias *${source} stands within what it stands for`);
      }
    } else if (isMap(node) || isSeq(node)) {
      holders.push(node);
      if (isMap(node)) lookAtMap(node);
      else for (const item of node.items) look(item);
      holders.pop();
    }
  };
  const lookAtMap = ({ items }: YAMLMap): void => {
    const seen = new Set<string>();
    for (const { key, value } of items) {
      if (isScalar(key)) {
        const name = isMergeKey(key) ? "<<" : String(key.value);
        if (seen.has(name)) report(key, `the key ${name.slice(0, 100)} is there twice`);
        else if (name === "<<" && isMergeKey(key) && !isMergeable(document, value)) {
          report(key, "<< takes a map, or the alias of one like *name");
        }
        seen.add(name);
      } else look(key);
      look(value);
    }
  };
  look(document.contents);
  return problems.slice(0, maximumProblems);
}

function isTooLarge({ value, source }: Scalar): boolean {
  if (source === undefined || source.length < 19) return false;
  const isNumber = typeof value === "number" || typeof value === "bigint";
  return isNumber && /^\+?\d+$/.test(source) && BigInt(source) > largestInteger;
}

function holds(holders: readonly Node[], alias: Alias, document: Document): boolean {
  const target = alias.resolve(document);
  return target !== undefined && holders.includes(target);
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
