import { isDeepStrictEqual } from "node:util";
import {
  Scalar,
  isMap,
  isScalar,
  parseDocument,
  visit,
  type Document,
  type Pair,
  type YAMLMap,
} from "yaml";
import { visitTexts } from "../../secrets/references.ts";
import { maximumTextLength } from "../graph.ts";
import { placeFiles } from "./import-folder.ts";
import { mergeFiles, type PlacedFile } from "./import-merge.ts";
import { formatOf, readImportFile, type ImportProblem, type ReadFile } from "./import-read.ts";
import { vectorReading } from "./vector-scalars.ts";
import { plainValue } from "./yaml-nodes.ts";

/** A file that a person chose. */
export interface ImportFile {
  /** As it stands in what was chosen, with `/`; a text that was pasted has none. */
  readonly path: string;
  readonly content: Uint8Array;
}

export interface ImportNotice {
  /** Empty when it concerns the whole. */
  readonly path: string;
  readonly message: string;
}

/** What files make together. */
export interface ImportedConfig {
  /** Empty when there are problems. */
  readonly yaml: string;
  /** A name that the pipeline may get. */
  readonly name: string;
  readonly notices: readonly ImportNotice[];
  readonly problems: readonly ImportProblem[];
}

/** 5 MB, of one file and of all together. */
export const maximumImportBytes = 5_000_000;
const maximumFiles = 500;

/** What VectorFlow sets on each host. */
const owned: Readonly<Record<string, string>> = {
  data_dir:
    "each host has a data directory of its own for each pipeline; checkpoints and disk buffers of an installation that ran before are not taken over",
  api: "the agent sets Vector's API up itself",
  secret: "secrets are kept by VectorFlow: make one under each name that SECRET[…] has in the text",
  provider: "the agent brings configurations to Vector",
};

/** Reads files, merges them as Vector does and takes out what VectorFlow sets. Never throws on their content. */
export function importConfig(files: readonly ImportFile[]): ImportedConfig {
  const refused = checkSizes(files);
  const texts = new Map<string, string>();
  for (const { path, content } of refused.length > 0 ? [] : files) {
    try {
      texts.set(path, new TextDecoder("utf-8", { fatal: true }).decode(content));
    } catch {
      refused.push({ path, line: 0, message: "it is not UTF-8 text" });
    }
  }
  const least = [...texts].reduce((sum, [path, text]) => sum + leastLength(path, text), 0);
  if (least > maximumTextLength) refused.push(tooLong(least));
  if (refused.length > 0) return { yaml: "", name: "", notices: [], problems: refused };
  const notices: ImportNotice[] = [];
  const problems: ImportProblem[] = [];
  const placed: PlacedFile[] = [];
  for (const { path, place, why } of placeFiles([...texts.keys()].toSorted())) {
    if (place === undefined) {
      notices.push({ path, message: `left out: ${why}` });
      continue;
    }
    const outcome = readImportFile(path, texts.get(path) ?? "");
    if (outcome.kind === "failed") problems.push(...outcome.problems);
    else {
      placed.push({ file: outcome.file, place });
      notices.push(...outcome.file.notices.map((message) => ({ path, message })));
    }
  }
  if (problems.length === 0 && placed.length === 0) {
    problems.push({ path: "", line: 0, message: "there is no .yaml, .toml or .json file" });
  }
  const name = proposeName(files);
  if (problems.length > 0) return { yaml: "", name, notices, problems };
  const made = putTogether(placed);
  notices.push(...made.notices);
  if (made.problems.length > 0) return { yaml: "", name, notices, problems: made.problems };
  if (made.yaml.length > maximumTextLength) {
    return { yaml: "", name, notices, problems: [tooLong(made.yaml.length)] };
  }
  return { yaml: made.yaml, name, notices, problems: [] };
}

function tooLong(length: number): ImportProblem {
  const message = `together it has ${length} characters; a pipeline has at most ${maximumTextLength}`;
  return { path: "", line: 0, message };
}

/** What a file has as YAML at the very least, without reading it: a text that is too long is not worth the time. */
function leastLength(path: string, text: string): number {
  if (formatOf(path, text) === "yaml") return text.length;
  // What other formats write between values takes less than half of them.
  return Math.floor(text.replaceAll(/\s+/g, "").length / 2);
}

function checkSizes(files: readonly ImportFile[]): ImportProblem[] {
  const problems = files
    .filter(({ content }) => content.length > maximumImportBytes)
    .map(({ path, content }) => ({
      path,
      line: 0,
      message: `it has ${content.length} bytes; at most 5 MB are read`,
    }));
  const total = files.reduce((sum, { content }) => sum + content.length, 0);
  if (problems.length === 0 && total > maximumImportBytes) {
    const message = `the files have ${total} bytes together; at most 5 MB are read`;
    problems.push({ path: "", line: 0, message });
  }
  if (files.length > maximumFiles) {
    const message = `there are ${files.length} files; at most ${maximumFiles} are read`;
    problems.push({ path: "", line: 0, message });
  }
  const seen = new Set<string>();
  for (const { path } of files) {
    if (seen.has(path)) problems.push({ path, line: 0, message: "this file is there twice" });
    seen.add(path);
  }
  return problems;
}

function putTogether(placed: readonly PlacedFile[]) {
  const [only] = placed;
  const alone = placed.length === 1 && only?.place.kind === "configuration" ? only.file : undefined;
  const { document, problems } =
    alone === undefined ? mergeFiles(placed) : { document: alone.document, problems: [] };
  if (problems.length > 0) return { yaml: "", notices: [], problems };
  const notices = [...noticesOf(document), ...hintsOf(document)];
  return { yaml: write(document, alone), notices, problems: [] };
}

function noticesOf(document: Document): readonly ImportNotice[] {
  if (!isMap(document.contents)) return [];
  return document.contents.items.flatMap((pair) => {
    const name = keyOf(pair);
    const why = owned[name];
    return why === undefined ? [] : [{ path: "", message: `${name} is taken out: ${why}` }];
  });
}

/** What means something else here than it did where it ran. */
function hintsOf(document: Document): readonly ImportNotice[] {
  const variables = new Set<string>();
  visitTexts(document.toJS({ maxAliasCount: 100 }) as unknown, (text) => {
    for (const [, name = ""] of text.matchAll(/\$\{([A-Za-z_][A-Za-z0-9_]*)[^}\n]{0,200}\}/g)) {
      variables.add(name);
    }
  });
  if (variables.size === 0) return [];
  const names = [...variables].toSorted();
  const shown = names.slice(0, 10).map((name) => `\${${name}}`);
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return [
    {
      path: "",
      message: `${shown.join(", ")}${more} stays as it is written: Vector fills in no environment variables by default, and hosts have none for it. Write the value, or use a secret`,
    },
  ];
}

/** A single file of YAML stays as it was written, but for what is taken out. */
function write(document: Document, alone: ReadFile | undefined): string {
  const written = alone?.format === "yaml" ? editText(alone.text, document) : undefined;
  if (written !== undefined) return written;
  const unfolded = aliasesOfOwned(document) ? unfold(document) : document;
  if (isMap(unfolded.contents)) {
    takeOut(unfolded, unfolded.contents);
    if (unfolded.contents.items.length === 0) return "";
    unfolded.contents.flow = false;
  } else return "";
  return unfolded.toString({ lineWidth: 0, flowCollectionPadding: false });
}

/** Takes the options out that VectorFlow sets; what stands above one stays, above the next. */
function takeOut(document: Document, root: YAMLMap): void {
  let waiting: string[] = [];
  const kept: Pair[] = [];
  for (const pair of root.items) {
    const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
    if (keyOf(pair) in owned) {
      if (own != null) waiting.push(own);
      continue;
    }
    if (waiting.length > 0 && isScalar(pair.key)) {
      pair.key.commentBefore = [...waiting, ...(own == null ? [] : [own])].join("\n");
      waiting = [];
    }
    kept.push(pair);
  }
  if (waiting.length > 0) {
    document.comment = [...waiting, ...(document.comment == null ? [] : [document.comment])].join(
      "\n",
    );
  }
  root.items = kept;
}

/** Whether something that stays refers to a part that goes. */
function aliasesOfOwned(document: Document): boolean {
  if (!isMap(document.contents)) return false;
  const going = new Set<string>();
  const used = new Set<string>();
  for (const pair of document.contents.items) {
    visit(pair.value as never, {
      Node: (_key, node) => {
        if (keyOf(pair) in owned && "anchor" in node && node.anchor !== undefined) {
          going.add(node.anchor);
        }
      },
      Alias: (_key, { source }) => {
        if (!(keyOf(pair) in owned)) used.add(source);
      },
    });
  }
  return !going.isDisjointFrom(used);
}

function unfold(document: Document): Document {
  const contents = document.contents;
  if (!isMap(contents)) return document;
  for (const pair of contents.items) {
    if (keyOf(pair) in owned) continue;
    let has = false;
    visit(pair.value as never, { Alias: () => void (has = true) });
    if (!has) continue;
    const value: unknown = (pair.value as { toJS(of: Document, how: object): unknown }).toJS(
      document,
      { maxAliasCount: 100 },
    );
    pair.value = document.createNode(value, { aliasDuplicateObjects: false });
  }
  return document;
}

/** Changes a text in place, or gives up when that would change what it says. */
function editText(text: string, document: Document): string | undefined {
  if (!isMap(document.contents)) return text;
  if (
    document.contents.flow === true &&
    document.contents.items.some((pair) => keyOf(pair) in owned)
  ) {
    return undefined;
  }
  const edits: { readonly from: number; readonly to: number; readonly text: string }[] = [];
  for (const pair of document.contents.items) {
    if (keyOf(pair) in owned) edits.push({ ...linesOf(text, pair), text: "" });
  }
  const removed = (at: number): boolean => edits.some(({ from, to }) => from <= at && at < to);
  visit(document, {
    Scalar(_key, node) {
      if (node.range == null || removed(node.range[0])) return;
      const source = text.slice(node.range[0], node.range[1]);
      if (vectorReading(source) === undefined) return;
      const again =
        node.type === Scalar.QUOTE_DOUBLE ? JSON.stringify(node.value) : String(node.value);
      edits.push({ from: node.range[0], to: node.range[1], text: again });
    },
  });
  const edited = edits
    .toSorted((a, b) => b.from - a.from)
    .reduce(
      (before, { from, to, text: put }) => before.slice(0, from) + put + before.slice(to),
      text,
    );
  return saysTheSame(edited, document) ? edited : undefined;
}

function saysTheSame(text: string, document: Document): boolean {
  const again: Document = parseDocument(text, {
    intAsBigInt: true,
    merge: true,
    uniqueKeys: false,
  });
  if (again.errors.length > 0) return false;
  const wanted = plainValue(document);
  const kept =
    wanted instanceof Map ? new Map([...wanted].filter(([key]) => !(key in owned))) : new Map();
  try {
    return isDeepStrictEqual(plainValue(again) ?? new Map(), kept);
  } catch (error) {
    // An alias whose anchor was taken out.
    if (error instanceof ReferenceError) return false;
    throw error;
  }
}

/** The lines of a top-level option, without comments that stand before it. */
function linesOf(text: string, pair: Pair): { from: number; to: number } {
  const range = (node: unknown): readonly [number, number] => {
    const found = (node as { range?: readonly number[] | null } | null)?.range;
    return [found?.[0] ?? 0, found?.[1] ?? 0];
  };
  const [keyFrom, keyTo] = range(pair.key);
  let end = Math.max(keyTo, range(pair.value)[1]);
  while (end > keyTo && /\s/.test(text[end - 1] ?? "")) end -= 1;
  const line = text.indexOf("\n", end);
  return {
    from: text.lastIndexOf("\n", keyFrom - 1) + 1,
    to: line === -1 ? text.length : line + 1,
  };
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function proposeName(files: readonly ImportFile[]): string {
  const [first] = files;
  const parts = first?.path.split("/").filter((part) => part !== "") ?? [];
  const source = files.length > 1 && parts.length > 1 ? parts[0] : parts.at(-1);
  return (source ?? "")
    .replace(/\.(ya?ml|toml|json)$/i, "")
    .replace(/[^A-Za-z0-9 _-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "")
    .slice(0, 100);
}
