import { sections, type Place, type Section } from "./import-merge.ts";

/** What is made of each file of a folder. */
export interface PlacedPath {
  readonly path: string;
  /** Undefined when Vector does not look there; `why` then says so. */
  readonly place: Place | undefined;
  readonly why: string;
}

const extension = /\.(ya?ml|toml|json)$/i;

/**
 * Places files as Vector does for `--config-dir`: files at the top are configurations, those in `sources/`,
 * `transforms/`, `sinks/`, `enrichment_tables/` and `tests/` are one entry each, deeper ones below `transforms/` are
 * options of the transform whose name the first folder has, and all else is left alone. What people choose may begin
 * anywhere above or at that folder. Pure.
 */
export function placeFiles(paths: readonly string[]): readonly PlacedPath[] {
  const split = paths.map((path) => path.split("/").filter((part) => part !== "" && part !== "."));
  const depth = split.length > 1 || (split[0]?.length ?? 0) > 1 ? commonDepth(split) : 0;
  return paths.map((path, index) => {
    const parts = (split[index] ?? []).slice(depth);
    if (paths.length > 1 && !extension.test(path)) {
      return { path, place: undefined, why: "it is no .yaml, .toml or .json file" };
    }
    if (parts.length <= 1) return { path, place: { kind: "configuration" }, why: "" };
    const [section = ""] = parts;
    if (parts.slice(0, -1).some((part) => part.startsWith("."))) {
      return { path, place: undefined, why: "Vector skips folders that begin with a dot" };
    }
    if (!isSection(section)) {
      return { path, place: undefined, why: `Vector does not look into the folder ${section}` };
    }
    if (parts.length > 2 && section !== "transforms") {
      return { path, place: undefined, why: `Vector looks into no folder below ${section}` };
    }
    const [name = "", ...options] = parts
      .slice(1)
      .map((part, at, { length }) => (at === length - 1 ? part.replace(extension, "") : part));
    return { path, place: { kind: "entry", section, name, options }, why: "" };
  });
}

function isSection(name: string): name is Section {
  return (sections as readonly string[]).includes(name);
}

/** How many folders all paths share, up to the one that has the sections. */
function commonDepth(split: readonly (readonly string[])[]): number {
  const [first = []] = split;
  let depth = 0;
  while (
    depth < first.length - 1 &&
    !isSection(first[depth] ?? "") &&
    split.every((parts) => parts.length > depth + 1 && parts[depth] === first[depth])
  ) {
    depth += 1;
  }
  return depth;
}
