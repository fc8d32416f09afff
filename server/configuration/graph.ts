import {
  Document as YamlDocument,
  Pair,
  isMap,
  isNode,
  isScalar,
  isSeq,
  parseDocument,
  visit,
  type Document,
  type Node,
  type YAMLMap,
} from "yaml";
import { maximumPipelineBytes } from "#common/pipeline-size.ts";
import { parserMessage, shapeProblems } from "#common/yaml-shape.ts";
import { kinds, type Kind } from "./catalogue.ts";
import { placeIn, type TextFix, type TextPlace } from "./edit/text-edits.ts";

/** Places in the text, in UTF-16 code units from its start. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** Something wrong in a configuration. Errors stop a deploy. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly message: string;
  readonly componentKey: string;
  /** Dotted path below the component. */
  readonly field: string;
  readonly span: Span | undefined;
  /** The name that a secret may get which takes the value up. */
  readonly moveToSecret?: string;
  /** Changes of the text that settle it, the likeliest first. */
  readonly fixes?: readonly TextFix[];
}

export interface GraphComponent {
  readonly key: string;
  readonly kind: Kind;
  readonly type: string;
  /** As written: may hold wildcards. */
  readonly inputs: readonly string[];
  /** Parsed options, without `type` and `inputs`. */
  readonly config: Readonly<Record<string, unknown>>;
  /** The body as a person wrote it, with comments, starting at column 0. */
  readonly yaml: string;
}

/** A pipeline as its graph, with the text of each component kept. */
export interface PipelineGraph {
  readonly globalConfig: Readonly<Record<string, unknown>>;
  /** The top-level options as a person wrote them. */
  readonly globalYaml: string;
  readonly components: readonly GraphComponent[];
}

/** All that is written in a graph, as one value. */
export function graphValues({ globalConfig, components }: PipelineGraph): unknown {
  return [globalConfig, components.map(({ type, inputs, config }) => [type, inputs, config])];
}

export interface ParsedText {
  /** Absent when the text is not YAML of Vector's shape. */
  readonly graph: PipelineGraph | undefined;
  readonly problems: readonly Problem[];
  /**
   * Where a path of a component stands in the text: the key of the component for an empty path. Without a key the path
   * starts at the top level.
   */
  locate(key: string, path: readonly (string | number)[]): Span | undefined;
  /** The node that stands there; undefined where nothing is written. */
  place(key: string, path: readonly (string | number)[]): TextPlace | undefined;
}

const sectionKinds = new Map<string, Kind>(kinds.map((kind) => [`${kind}s`, kind]));
/** Components that the agent injects have ids with this prefix. */
export const reservedPrefix = "__vectorflow";
export const longestKey = 128;
export const keyPattern = /^[A-Za-z_][A-Za-z0-9_]{0,127}$/;
/** What Vector takes too is kept in a graph, so that it can be renamed there. */
const readableKey = /^[A-Za-z_][A-Za-z0-9_-]{0,127}$/;
export const nameRule = "a name needs 1 to 128 letters, digits or _, and no digit in front of them";

/** The name that comes nearest to one that cannot be used; another component may have it. */
export function usableKey(key: string): string {
  return key
    .replaceAll(/[^A-Za-z0-9_]/g, "_")
    .replace(/^(?=[0-9]|$)/, "_")
    .slice(0, longestKey);
}

/** Parses a configuration in YAML into a graph. Never throws on what a person wrote. */
export function parsePipelineText(text: string): ParsedText {
  const tooLarge = sizeProblem(text);
  if (tooLarge !== undefined) return failed(tooLarge);
  let document: Document.Parsed;
  try {
    document = parseDocument(text, { uniqueKeys: false, merge: true, prettyErrors: false });
  } catch {
    // Deep nesting exhausts the parser's stack.
    return failed("the text is nested too deeply to be read");
  }
  if (document.errors.length > 0) {
    return {
      graph: undefined,
      problems: document.errors.slice(0, 20).map((error) => ({
        ...general(parserMessage(error)),
        span: { from: error.pos[0], to: Math.max(error.pos[1], error.pos[0] + 1) },
      })),
      ...nowhere,
    };
  }
  const shape = shapeProblems(document);
  if (shape.length > 0) {
    const problems = shape.map(({ message, node }) => ({
      ...general(message),
      span: spanOf(node),
    }));
    return { graph: undefined, problems, ...nowhere };
  }
  if (document.contents === null) {
    return { graph: emptyGraph, problems: [], ...nowhere };
  }
  if (!isMap(document.contents)) return failed("the configuration must be a map of sections");
  try {
    return readSections(text, document, document.contents);
  } catch (error) {
    // The parser resolves aliases late, and refuses to unfold too many of them.
    if (error instanceof ReferenceError)
      return failed(`the text cannot be unfolded: ${error.message}`);
    throw error;
  }
}

/** Why a text is too large to be looked at; undefined when it is not. */
export function sizeProblem(text: string): string | undefined {
  const bytes = Buffer.byteLength(text);
  return bytes > maximumPipelineBytes
    ? `the text has ${bytes} bytes; a pipeline has at most ${maximumPipelineBytes / 1e6} MB`
    : undefined;
}

const nowhere = { locate: () => undefined, place: () => undefined };

const emptyGraph: PipelineGraph = { globalConfig: {}, globalYaml: "", components: [] };

function general(message: string): Problem {
  return { severity: "error", message, componentKey: "", field: "", span: undefined };
}

function failed(message: string): ParsedText {
  return { graph: undefined, problems: [general(message)], ...nowhere };
}

function readSections(text: string, document: Document, root: YAMLMap): ParsedText {
  const problems: Problem[] = [];
  const components: GraphComponent[] = [];
  // Aliases look like this, and little else does: most texts have none, and need not be searched for them.
  const mayHaveAliases = /(?:^|[\s,:[{-])\*[^\s*]/.test(text);
  const nodes = new Map<string, Pair>([["", new Pair(null, root)]]);
  const globals: Pair[] = [];
  for (const pair of root.items) {
    const kind = sectionKinds.get(String(keyOf(pair)));
    if (kind === undefined) {
      globals.push(pair);
      continue;
    }
    if (isScalar(pair.value) && pair.value.value === null) continue;
    if (!isMap(pair.value)) {
      problems.push({ ...general(`${kind}s must be a map of components`), span: spanOf(pair.key) });
      continue;
    }
    for (const entry of pair.value.items) {
      const component = readComponent(text, document, kind, entry, mayHaveAliases, problems);
      if (component === undefined) continue;
      if (nodes.has(component.key)) {
        problems.push({
          ...general(
            `another component is named ${component.key} too: names are unique over all kinds`,
          ),
          componentKey: component.key,
          span: spanOf(entry.key),
        });
        continue;
      }
      nodes.set(component.key, entry);
      components.push(component);
    }
  }
  const globalConfig = Object.fromEntries(
    globals.map((pair) => [String(keyOf(pair)), toValue(document, pair.value)]),
  );
  const graph = {
    globalConfig,
    globalYaml:
      mayHaveAliases && globals.some(pointsOutside)
        ? stringify(globalConfig)
        : globals.map((pair) => sliceOf(text, pair)).join(""),
    components,
  };
  return {
    graph,
    problems,
    locate: (key, path) => locate(nodes.get(key), path),
    place(key, path) {
      const entry = nodes.get(key);
      return entry === undefined ? undefined : placeIn(entry.value, path, 0, entry);
    },
  };
}

function readComponent(
  text: string,
  document: Document,
  kind: Kind,
  entry: Pair,
  mayHaveAliases: boolean,
  problems: Problem[],
): GraphComponent | undefined {
  const key = String(keyOf(entry));
  const problem = (message: string, field = ""): void => {
    problems.push({ ...general(message), componentKey: key, field, span: spanOf(entry.key) });
  };
  if (!readableKey.test(key)) {
    problem(`the name ${JSON.stringify(key.slice(0, 130))} cannot be used: ${nameRule}`);
    return undefined;
  }
  const body: unknown = toValue(document, entry.value);
  if (!isRecord(body)) {
    problem(`the ${kind} ${key} must be a map of options`);
    return undefined;
  }
  const { type, inputs, ...config } = body;
  if (typeof type !== "string") problem(`the ${kind} ${key} has no type`, "type");
  if (inputs !== undefined && !isStringList(inputs)) {
    problems.push({
      ...general(`the inputs of ${key} must be a list of component names`),
      componentKey: key,
      field: "inputs",
      span: locate(entry, ["inputs"]),
      ...(typeof inputs === "string" && { fixes: listFix(text, entry, inputs) }),
    });
  }
  return {
    key,
    kind,
    type: typeof type === "string" ? type : "",
    inputs: typeof inputs === "string" ? [inputs] : isStringList(inputs) ? inputs : [],
    config,
    yaml: mayHaveAliases && pointsOutside(entry) ? stringify(body) : bodyOf(text, entry),
  };
}

/** Vector takes a list only. The graph has one name for one that has it, so that all else can be checked. */
function listFix(text: string, entry: Pair, input: string): readonly TextFix[] {
  const node = placeIn(entry.value, ["inputs"], 0, entry)?.node;
  if (!isScalar(node) || node.range == null) return [];
  const [from, to] = node.range;
  const written = text.slice(from, to);
  if (/^[|>]/.test(written)) return [];
  return [{ title: `Make it [${input}]`, edits: [{ from, to, insert: `[${written}]` }] }];
}

/** Whether a part of the text has an alias to another part, without which it means nothing by itself. */
function pointsOutside({ value }: Pair): boolean {
  if (!isNode(value)) return false;
  const anchors = new Set<string>();
  let outside = false;
  visit(value, {
    Node: (_key, node) => {
      if ("anchor" in node && node.anchor !== undefined) anchors.add(node.anchor);
    },
  });
  visit(value, {
    Alias: (_key, { source }) => {
      outside ||= !anchors.has(source);
    },
  });
  return outside;
}

/** A value as YAML, with its aliases unfolded. */
function stringify(value: unknown): string {
  return new YamlDocument(value, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
}

function keyOf(pair: Pair): unknown {
  return isScalar(pair.key) ? pair.key.value : pair.key;
}

function toValue(document: Document, node: unknown): unknown {
  return isNode(node) ? (node.toJS(document, { maxAliasCount: 100 }) as unknown) : node;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isStringList(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}

function spanOf(node: unknown): Span | undefined {
  const range = isNode(node) ? (node as Node).range : undefined;
  return range == null ? undefined : { from: range[0], to: Math.max(range[1], range[0] + 1) };
}

/** The lines of a pair, as they stand in the text. */
function sliceOf(text: string, pair: Pair): string {
  const from = spanOf(pair.key)?.from ?? 0;
  const end = isNode(pair.value) ? (pair.value.range?.[2] ?? from) : from;
  const start = text.lastIndexOf("\n", from - 1) + 1;
  const slice = text.slice(start, end);
  return slice.endsWith("\n") ? slice : `${slice}\n`;
}

/** The lines of a component's body, moved to column 0. Flow style stays on its line. */
function bodyOf(text: string, entry: Pair): string {
  const range = isNode(entry.value) ? entry.value.range : undefined;
  if (range == null) return "";
  if (isMap(entry.value) && entry.value.flow === true) return `${text.slice(range[0], range[1])}\n`;
  const start = text.lastIndexOf("\n", range[0] - 1) + 1;
  const indent = range[0] - start;
  return text
    .slice(start, range[2])
    .split("\n")
    .map((line) => (line.slice(0, indent).trim() === "" ? line.slice(indent) : line.trimStart()))
    .join("\n")
    .trimEnd()
    .concat("\n");
}

function locate(found: Pair | undefined, path: readonly (string | number)[]): Span | undefined {
  if (found === undefined) return undefined;
  let span = spanOf(found.key);
  let node: unknown = found.value;
  for (const step of path) {
    if (isMap(node)) {
      const pair = node.items.find((item) => String(keyOf(item)) === String(step));
      if (pair === undefined) return span;
      span = spanOf(isScalar(pair.value) ? pair.value : pair.key);
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(step)];
      span = spanOf(node) ?? span;
    } else {
      return span;
    }
  }
  return span;
}
