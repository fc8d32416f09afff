import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { maximumPipelineBytes } from "#common/pipeline-size.ts";
import { UsageError, messageOf } from "../failures.ts";
import { parseSettings, type PipelineSettings } from "./settings.ts";

/** A pipeline as files say it shall be. */
export interface DeclaredPipeline {
  readonly name: string;
  /** Where the text comes from, for messages. */
  readonly path: string;
  readonly yaml: string;
  readonly settings: PipelineSettings;
}

export interface Declaration {
  readonly pipelines: readonly DeclaredPipeline[];
  /** A folder is the whole of an environment: what is not in it can be pruned. */
  readonly isFolder: boolean;
  /** Files and folders in a folder that nothing was made of. */
  readonly ignored: readonly string[];
}

/** What has a configuration of Vector by its name, but not as a folder of pipelines has it. */
export interface Lookalike {
  readonly path: string;
  /** Of the pipeline that it would be for. */
  readonly name: string;
  /** It lies in a folder below. */
  readonly isBelow: boolean;
}

export const settingsSuffix = ".vectorflow.yaml";
const configPattern = /^(.+)\.ya?ml$/;
/** Whatever Vector reads, in any case. */
const lookalikePattern = /^(.+)\.(?:ya?ml|toml|json)$/i;
const namePattern = /^[A-Za-z0-9][A-Za-z0-9 _-]{0,99}$/;

/** Reads a file or a folder. Throws a UsageError with everything that is wrong in any of the files. */
export async function readDeclaration(
  path: string,
  givenName: string | undefined,
  readStdin: () => Promise<Buffer>,
): Promise<Declaration> {
  const problems: string[] = [];
  const declaration = await read(path, givenName, readStdin, problems);
  if (problems.length > 0) throw new UsageError(problems.join("\n"));
  return declaration;
}

async function read(
  path: string,
  givenName: string | undefined,
  readStdin: () => Promise<Buffer>,
  problems: string[],
): Promise<Declaration> {
  if (path === "-") {
    if (givenName === undefined) throw new UsageError("-f - needs --name");
    const yaml = decode(await readStdin(), "the standard input", problems);
    checkName(givenName, "--name", problems);
    const pipeline = { name: givenName, path: "-", yaml, settings: {} };
    return { pipelines: [pipeline], isFolder: false, ignored: [] };
  }
  const found = await stat(path).catch((error: unknown) => {
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  });
  if (!found.isDirectory()) {
    const name = givenName ?? configPattern.exec(basename(path))?.[1] ?? "";
    if (basename(path).endsWith(settingsSuffix)) {
      throw new UsageError(`${path} has settings: name the configuration beside it`);
    }
    if (name === "") throw new UsageError(`${path} is no .yaml file: give --name`);
    const settingsPath = path.replace(/(\.ya?ml)?$/, settingsSuffix);
    const pipeline = await readPipeline(name, path, settingsPath, problems);
    return { pipelines: [pipeline], isFolder: false, ignored: [] };
  }
  if (givenName !== undefined) throw new UsageError("--name is for one file, not for a folder");
  return readFolder(path, problems);
}

async function readFolder(path: string, problems: string[]): Promise<Declaration> {
  const files = (await readdir(path)).filter((file) => !file.startsWith(".")).toSorted();
  const pipelines: DeclaredPipeline[] = [];
  const ignored: string[] = [];
  const seen = new Map<string, string>();
  const settingsFiles = new Set(files.filter((file) => file.endsWith(settingsSuffix)));
  for (const file of files) {
    if (settingsFiles.has(file)) continue;
    const name = configPattern.exec(file)?.[1];
    if (name === undefined) {
      ignored.push(file);
      continue;
    }
    const other = seen.get(name.toLowerCase());
    if (other !== undefined) problems.push(`${other} and ${file} are for the same pipeline`);
    seen.set(name.toLowerCase(), file);
    const settingsFile = `${name}${settingsSuffix}`;
    pipelines.push(await readPipeline(name, join(path, file), join(path, settingsFile), problems));
    settingsFiles.delete(settingsFile);
  }
  for (const file of settingsFiles) {
    problems.push(`${join(path, file)} has settings of a pipeline that has no file`);
  }
  // A wrong path must never look like the wish for no pipelines at all.
  if (pipelines.length === 0) problems.push(`${path} has no .yaml files`);
  return { pipelines, isFolder: true, ignored };
}

/** Finds what was ignored in a folder, or lies in folders below, and may have been meant as a pipeline. */
export async function findLookalikes(
  folder: string,
  { ignored }: Declaration,
): Promise<readonly Lookalike[]> {
  const found: Lookalike[] = [];
  for (const entry of ignored) {
    const path = join(folder, entry);
    const isBelow = (await stat(path).catch(() => undefined))?.isDirectory() === true;
    // A folder that cannot be read has nothing that anybody could have meant here.
    const files = isBelow ? await readdir(path, { recursive: true }).catch(() => []) : [entry];
    for (const file of files) {
      const name = lookalikePattern.exec(basename(file))?.[1];
      if (name === undefined) continue;
      found.push({ path: isBelow ? join(entry, file) : entry, name, isBelow });
    }
  }
  return found;
}

async function readPipeline(
  name: string,
  path: string,
  settingsPath: string,
  problems: string[],
): Promise<DeclaredPipeline> {
  checkName(name, path, problems);
  const bytes = await readFile(path).catch((error: unknown) => {
    problems.push(`${path} cannot be read: ${messageOf(error)}`);
    return Buffer.alloc(0);
  });
  return {
    name,
    path,
    yaml: decode(bytes, path, problems),
    settings: await readSettingsFile(settingsPath, problems),
  };
}

async function readSettingsFile(path: string, problems: string[]): Promise<PipelineSettings> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") {
      problems.push(`${path} cannot be read: ${messageOf(error)}`);
    }
    return {};
  }
  const parsed = parseSettings(decode(bytes, path, problems));
  if (parsed.kind === "read") return parsed.settings;
  problems.push(...parsed.problems.map((problem) => `${path}: ${problem}`));
  return {};
}

function checkName(name: string, place: string, problems: string[]): void {
  if (namePattern.test(name)) return;
  problems.push(
    `${place}: ${name} is no name of a pipeline, which has letters, digits, spaces, _ and -, at most 100, and starts with a letter or digit`,
  );
}

function decode(bytes: Buffer, place: string, problems: string[]): string {
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    // As the server refuses it.
    if (bytes.length > maximumPipelineBytes) {
      problems.push(
        `${place} has ${bytes.length} bytes; a pipeline has at most ${maximumPipelineBytes / 1e6} MB`,
      );
    }
    return text;
  } catch {
    problems.push(`${place} is not UTF-8`);
    return "";
  }
}
