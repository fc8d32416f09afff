import { isDeepStrictEqual } from "node:util";
import { Document, Pair, YAMLMap, YAMLSeq, isMap, isScalar, isSeq, visit } from "yaml";
import type { ImportProblem, ReadFile } from "./import-read.ts";
import { textNode } from "./yaml-nodes.ts";

/** What a file is, by where it stands in a folder. */
export type Place =
  | { readonly kind: "configuration" }
  /** One entry of a section, or an option of it: the names are those of folders and of the file. */
  | {
      readonly kind: "entry";
      readonly section: Section;
      readonly name: string;
      readonly options: readonly string[];
    };

export interface PlacedFile {
  readonly file: ReadFile;
  readonly place: Place;
}

export const sections = ["enrichment_tables", "sources", "transforms", "sinks", "tests"] as const;
export type Section = (typeof sections)[number];

/** Sections whose entries have names; `tests` is a list. */
const named: ReadonlySet<string> = new Set(["enrichment_tables", "sources", "transforms", "sinks"]);
const singular = {
  enrichment_tables: "enrichment table",
  sources: "source",
  transforms: "transform",
  sinks: "sink",
  tests: "test",
} as const satisfies Record<Section, string>;

interface Origin {
  readonly path: string;
  readonly value: unknown;
}

/**
 * Puts files together as Vector does with a folder: what two files at its top say of one component or option is put
 * together, and lists follow one another. Where Vector lets the order of a file system decide which of two wins, this
 * is a problem. The nodes of the files move into the result, with their comments. Pure but for that.
 */
export function mergeFiles(files: readonly PlacedFile[]): {
  readonly document: Document;
  readonly notices: readonly string[];
  readonly problems: readonly ImportProblem[];
} {
  return new Merger().merge(files);
}

class Merger {
  readonly #root = new YAMLMap();
  readonly #problems: ImportProblem[] = [];
  readonly #notices: string[] = [];
  /** Where each option and entry came from, by its path. */
  readonly #origins = new Map<string, Origin>();
  readonly #anchors = new Set<string>();

  merge(files: readonly PlacedFile[]) {
    for (const { file, place } of files) {
      this.#renameAnchors(file.document);
      const contents = file.document.contents;
      if (!isMap(contents)) continue;
      keepHead(file.document, contents);
      if (place.kind === "entry") this.#addEntry(place, contents, file);
      else for (const pair of contents.items) this.#addTop(pair, file);
    }
    const document = new Document(null, { merge: true });
    this.#root.items = inOrder(this.#root);
    document.contents = this.#root as never;
    const last = files.at(-1)?.file.document.comment;
    if (last != null) document.comment = last;
    return { document, notices: this.#notices, problems: this.#problems };
  }

  /** Anchors of different files may have one name. */
  #renameAnchors(document: Document): void {
    const names = new Map<string, string>();
    visit(document, {
      Node: (_key, node) => {
        if (!("anchor" in node) || node.anchor === undefined) return;
        let name = node.anchor;
        for (let count = 2; this.#anchors.has(name); count += 1) name = `${node.anchor}_${count}`;
        names.set(node.anchor, name);
        node.anchor = name;
      },
      Alias: (_key, alias) => {
        alias.source = names.get(alias.source) ?? alias.source;
      },
    });
    for (const name of names.values()) this.#anchors.add(name);
  }

  #addTop(pair: Pair, file: ReadFile): void {
    const name = keyOf(pair);
    // A section without anything in it says nothing.
    if ((named.has(name) || name === "tests") && isEmpty(pair.value)) return;
    if (named.has(name) && isMap(pair.value)) {
      for (const entry of pair.value.items) {
        const section = this.#section(name as Section, () => new YAMLMap());
        this.#addOption([name], section as YAMLMap, entry, file);
      }
      this.#keepComments(name, pair);
      return;
    }
    if (name === "tests" && isSeq(pair.value)) {
      const list = this.#section("tests", () => new YAMLSeq());
      for (const test of pair.value.items) {
        const title: unknown = isMap(test) ? test.get("name") : undefined;
        if (typeof title === "string" && this.#isTwice(["tests", title], "test", title, file))
          continue;
        (list as YAMLSeq).items.push(test);
      }
      return;
    }
    this.#addOption([], this.#root, pair, file);
  }

  #addEntry(place: Extract<Place, { kind: "entry" }>, body: YAMLMap, file: ReadFile): void {
    const { section, name, options } = place;
    if (section === "tests") {
      const list = this.#section("tests", () => new YAMLSeq());
      const own: unknown = body.get("name");
      const title = typeof own === "string" ? own : name;
      if (own === undefined) body.items.unshift(new Pair(textNode("name"), textNode(name)));
      if (this.#isTwice(["tests", title], "test", title, file)) return;
      (list as YAMLSeq).items.push(body);
      return;
    }
    const key = textNode(name);
    if (body.commentBefore != null) {
      key.commentBefore = body.commentBefore;
      body.commentBefore = null;
    }
    const into = this.#section(section, () => new YAMLMap()) as YAMLMap;
    if (options.length === 0) {
      if (this.#isTwice([section, name], singular[section], name, file)) return;
      into.items.push(new Pair(key, body));
      return;
    }
    const nested = options.reduceRight<YAMLMap>((inner, option) => {
      const outer = new YAMLMap();
      outer.items.push(new Pair(textNode(option), inner));
      return outer;
    }, body);
    this.#addOption([section], into, new Pair(key, nested), file);
  }

  #isTwice(path: readonly string[], what: string, name: string, file: ReadFile): boolean {
    const key = JSON.stringify(path);
    const other = this.#origins.get(key);
    if (other === undefined) {
      this.#origins.set(key, { path: file.path, value: undefined });
      return false;
    }
    const message = `there is a ${what} named ${name} in ${other.path} too`;
    this.#problems.push({ path: file.path, line: 0, message });
    return true;
  }

  #section(name: Section, make: () => YAMLMap | YAMLSeq): YAMLMap | YAMLSeq {
    const found: unknown = this.#root.get(name, true);
    if (isMap(found) || isSeq(found)) return found;
    const made = make();
    this.#root.items.push(new Pair(textNode(name), made));
    return made;
  }

  /** What was written above a section goes above it, of the first file that has it. */
  #keepComments(name: string, pair: Pair): void {
    const own = this.#root.items.find((item) => keyOf(item) === name);
    const comment = isScalar(pair.key) ? pair.key.commentBefore : undefined;
    if (own === undefined || comment == null || !isScalar(own.key)) return;
    own.key.commentBefore = [own.key.commentBefore, comment]
      .filter((part) => part != null)
      .join("\n");
  }

  /** Maps of options are put together; what is there twice must agree. */
  #addOption(path: readonly string[], into: YAMLMap, pair: Pair, file: ReadFile): void {
    const name = keyOf(pair);
    const at = [...path, name];
    const own = into.items.find((item) => keyOf(item) === name);
    if (own === undefined) {
      into.items.push(pair);
      this.#origins.set(JSON.stringify(at), { path: file.path, value: undefined });
      return;
    }
    if (isMap(own.value) && isMap(pair.value)) {
      for (const child of pair.value.items) this.#addOption(at, own.value, child, file);
      return;
    }
    if (isSeq(own.value) && isSeq(pair.value)) {
      own.value.items.push(...pair.value.items);
      this.#notices.push(
        `${at.join(".")} has what ${this.#originOf(at)} says and, behind it, what ${file.path} says`,
      );
      return;
    }
    const before = plain(own.value);
    const after = plain(pair.value);
    if (isDeepStrictEqual(before, after)) return;
    // As Vector does it: any file can turn health checks off, and any can require them.
    const shown = at.join(".");
    if (shown === "healthchecks.enabled") own.value = false;
    else if (shown === "healthchecks.require_healthy") own.value = true;
    else {
      const other = this.#originOf(at);
      const message = `the option ${shown} has another value in ${other}`;
      this.#problems.push({ path: file.path, line: 0, message });
    }
  }

  #originOf(path: readonly string[]): string {
    for (let length = path.length; length > 0; length -= 1) {
      const origin = this.#origins.get(JSON.stringify(path.slice(0, length)));
      if (origin !== undefined) return origin.path;
    }
    return "another file";
  }
}

/** A comment at the top of a file is a part of its document: it goes above the first option. */
function keepHead(document: Document, contents: YAMLMap): void {
  const [first] = contents.items;
  if (document.commentBefore == null || first === undefined || !isScalar(first.key)) return;
  const own = contents.commentBefore ?? first.key.commentBefore;
  contents.commentBefore = null;
  first.key.commentBefore = [document.commentBefore, own].filter((part) => part != null).join("\n");
}

function inOrder(root: YAMLMap): Pair[] {
  const rank = (pair: Pair): number => sections.indexOf(keyOf(pair) as Section);
  return root.items.toSorted((a, b) => rank(a) - rank(b));
}

function isEmpty(value: unknown): boolean {
  return value == null || (isScalar(value) && value.value === null);
}

function plain(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("toJSON" in value)) return value;
  return (value as { toJSON(): unknown }).toJSON();
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}
