import { readFile, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { maximumPipelineBytes } from "#common/pipeline-size.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ConfigurationNotice } from "#gen/vectorflow/v1/import_service_pb.ts";
import { CliError, UsageError, exitCodes, messageOf, type ExitCode } from "../failures.ts";
import { kindName } from "../output/names.ts";
import { problemLines } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { problemView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { withSummary } from "./server-pipelines.ts";

const maximumFiles = 500;

/** Makes a draft of the files of a configuration, after showing what was found. */
export async function pipelinesImport(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const files = await readConfigurationFiles(argument);
  const environment = await environmentOf(context);
  const found = await client.imports.readConfiguration({ environmentId: environment.id, files });
  const name = flags.name ?? found.name;
  output.show([
    ...found.fileProblems.map((problem) => output.paint("red", noticeLine(problem))),
    ...found.components
      .filter(({ kind }) => kind !== ComponentKind.UNSPECIFIED)
      .map(({ key, kind, type }) => printable(`+ ${kindName(kind)} ${key} (${type})`)),
    ...found.notices.map((notice) => output.paint("yellow", noticeLine(notice))),
    ...problemLines(found.problems, output.paint),
  ]);
  const value = {
    pipeline: name,
    components: found.components.map(({ key, kind, type, inputs }) => ({
      component: key,
      kind: kindName(kind),
      type,
      inputs,
    })),
    notices: found.notices.map(noticeView),
    file_problems: found.fileProblems.map(noticeView),
    problems: found.problems.map(problemView),
    yaml: found.yaml,
  };
  if (found.fileProblems.length > 0) {
    output.result({ ...value, result: "refused", id: null }, () => "nothing was imported");
    return exitCodes.failed;
  }
  if (flags["dry-run"] === true) {
    output.result({ ...value, result: "would_create", id: null }, () => found.yaml.trimEnd());
    return exitCodes.differences;
  }
  if (name === "") throw new UsageError("--name is needed");
  const { pipeline } = await client.pipelines.createPipeline({
    environmentId: environment.id,
    name,
    yaml: found.yaml,
  });
  const { summary } = withSummary(pipeline);
  output.result({ ...value, pipeline: summary.name, result: "created", id: summary.id }, () =>
    printable(`${summary.name} is a draft in ${environment.name}`),
  );
  return exitCodes.ok;
}

interface ReadFile {
  readonly path: string;
  readonly content: Uint8Array;
}

async function readConfigurationFiles(path: string): Promise<ReadFile[]> {
  try {
    const files: ReadFile[] = [];
    if ((await stat(path)).isDirectory()) await walk(path, basename(join(path, ".")), files);
    else files.push({ path: basename(path), content: await readSmall(path) });
    const total = files.reduce((sum, { content }) => sum + content.length, 0);
    if (total > maximumPipelineBytes)
      throw new CliError(
        `${path} has ${total} bytes; at most ${maximumPipelineBytes / 1e6} MB are read`,
      );
    return files;
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

async function walk(folder: string, shown: string, files: ReadFile[]): Promise<void> {
  for (const entry of (await readdir(folder, { withFileTypes: true })).toSorted(byName)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) await walk(path, `${shown}/${entry.name}`, files);
    else if (/\.(ya?ml|toml|json)$/i.test(entry.name)) {
      if (files.length === maximumFiles) {
        throw new CliError(`${folder} has more than ${maximumFiles} files`);
      }
      files.push({ path: `${shown}/${entry.name}`, content: await readSmall(path) });
    }
  }
}

/** A wrong path may name something huge. */
async function readSmall(path: string): Promise<Uint8Array> {
  const { size } = await stat(path);
  if (size > maximumPipelineBytes)
    throw new CliError(
      `${path} has ${size} bytes; at most ${maximumPipelineBytes / 1e6} MB are read`,
    );
  return readFile(path);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : 1;
}

function noticeLine({ path, line, message }: ConfigurationNotice): string {
  const place = path === "" ? "" : line === 0 ? `${path}: ` : `${path}:${line}: `;
  return printable(`${place}${message}`);
}

function noticeView({ path, line, message }: ConfigurationNotice) {
  return { path, line: line === 0 ? null : line, message };
}
