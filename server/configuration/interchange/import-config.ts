import { isMap, type Document } from "yaml";
import { maximumPipelineBytes } from "#common/pipeline-size.ts";
import { visitTexts } from "../../secrets/references.ts";
import { placeFiles } from "./import-folder.ts";
import { mergeFiles, type PlacedFile } from "./import-merge.ts";
import { keyOf, owned, writeWithoutOwned } from "./import-owned.ts";
import { readImportFile, type ImportProblem } from "./import-read.ts";
import { giveUsableNames } from "./usable-names.ts";

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

const maximumFiles = 500;
const most = `${maximumPipelineBytes / 1e6} MB`;

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
  const bytes = Buffer.byteLength(made.yaml);
  if (bytes > maximumPipelineBytes) {
    const message = `as YAML it has ${bytes} bytes; a pipeline has at most ${most}`;
    return { yaml: "", name, notices, problems: [{ path: "", line: 0, message }] };
  }
  return { yaml: made.yaml, name, notices, problems: [] };
}

function checkSizes(files: readonly ImportFile[]): ImportProblem[] {
  const problems = files
    .filter(({ content }) => content.length > maximumPipelineBytes)
    .map(({ path, content }) => ({
      path,
      line: 0,
      message: `it has ${content.length} bytes; at most ${most} are read`,
    }));
  const total = files.reduce((sum, { content }) => sum + content.length, 0);
  if (problems.length === 0 && total > maximumPipelineBytes) {
    const message = `the files have ${total} bytes together; at most ${most} are read`;
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
  const { document, problems, ...merged } =
    alone === undefined
      ? mergeFiles(placed)
      : { document: alone.document, problems: [], notices: [] };
  if (problems.length > 0) return { yaml: "", notices: [], problems };
  const names = giveUsableNames(document);
  if (names.problems.length > 0) return { yaml: "", notices: [], problems: names.problems };
  const notices = [
    ...merged.notices.map((message) => ({ path: "", message })),
    ...noticesOf(document),
    ...names.notices,
    ...hintsOf(document),
  ];
  return { yaml: writeWithoutOwned(document, alone, names.changed), notices, problems: [] };
}

function noticesOf(document: Document): readonly ImportNotice[] {
  if (!isMap(document.contents)) return [];
  return document.contents.items.flatMap((pair) => {
    const name = keyOf(pair);
    const why = owned[name];
    return why === undefined ? [] : [{ path: "", message: `${name} is taken out: ${why}` }];
  });
}

// Without braces only names as people give them to variables: programs have `$` in patterns.
const environmentVariable = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)[^}\n]{0,200}\}|([A-Z][A-Z0-9_]+)\b)/g;

/** What means something else here than it did where it ran. */
function hintsOf(document: Document): readonly ImportNotice[] {
  const variables = new Set<string>();
  visitTexts(document.toJS({ maxAliasCount: 100 }) as unknown, (text) => {
    // `$$` is a dollar sign.
    for (const [, braced, plain] of text.replaceAll("$$", "").matchAll(environmentVariable)) {
      variables.add(braced === undefined ? `$${plain}` : `\${${braced}}`);
    }
  });
  if (variables.size === 0) return [];
  const names = [...variables].toSorted();
  const shown = names.slice(0, 10);
  const more = names.length > 10 ? ` and ${names.length - 10} more` : "";
  return [
    {
      path: "",
      message: `${shown.join(", ")}${more} stays as it is written: Vector fills in no environment variables by default, and hosts have none for it. Write the value, or use a secret`,
    },
  ];
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
