import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ConfigurationFormat } from "#gen/vectorflow/v1/import_service_pb.ts";
import { findPipeline, listPipelines } from "../client/lookups.ts";
import { CliError, UsageError, exitCodes, messageOf, type ExitCode } from "../failures.ts";
import { settingsSuffix } from "../folder/read-folder.ts";
import { renderSettings } from "../folder/settings.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { readCurrent } from "./server-pipelines.ts";

function formatOf(name: string | undefined): ConfigurationFormat {
  switch (name) {
    case undefined:
    case "yaml":
      return ConfigurationFormat.YAML;
    case "toml":
      return ConfigurationFormat.TOML;
    case "json":
      return ConfigurationFormat.JSON;
    default:
      throw new UsageError("--format must be yaml, toml or json");
  }
}

/** Writes saved drafts as `apply` reads them, so that applying them changes nothing. */
export async function pipelinesExport(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const folder = flags.dir;
  const format = formatOf(flags.format);
  if (folder !== undefined && (flags.format !== undefined || flags.version !== undefined)) {
    throw new UsageError("--format and --version are for one pipeline, without --dir");
  }
  if (folder === undefined && argument === "") {
    throw new UsageError("pipelines export needs a NAME, or --dir for all of them");
  }
  const environment = await environmentOf(context);
  const wanted =
    argument === ""
      ? await listPipelines(client, environment.id)
      : [await findPipeline(client, environment, argument)];
  if (folder === undefined) {
    const [only] = wanted;
    if (only === undefined) return exitCodes.ok;
    const version = flags.version === undefined ? 0 : Number(flags.version);
    if (!Number.isInteger(version) || version < 0 || version > 0xffff_ffff) {
      throw new UsageError("--version must be the number of a version");
    }
    const made = await client.imports.exportPipeline({ id: only.id, version, format });
    for (const notice of made.notices) output.note(notice);
    output.raw(made.content);
    return exitCodes.ok;
  }
  const written: { pipeline: string; file: string }[] = [];
  try {
    await mkdir(folder, { recursive: true });
    for (const { id } of wanted) {
      const { name, yaml, settings } = await readCurrent(client, id);
      // What the server sends is not trusted to name a place outside the folder.
      if (!/^[A-Za-z0-9][A-Za-z0-9 _-]*$/.test(name)) {
        throw new CliError(`${name} cannot be the name of a file`);
      }
      const file = join(folder, `${name}.yaml`);
      await writeFile(file, yaml);
      await writeFile(join(folder, `${name}${settingsSuffix}`), renderSettings(settings));
      written.push({ pipeline: name, file });
    }
  } catch (error) {
    if (!(error instanceof Error && "syscall" in error)) throw error;
    throw new CliError(`${folder} cannot be written: ${messageOf(error)}`, exitCodes.failed, {
      cause: error,
    });
  }
  output.result(written, () => written.map(({ file }) => file).join("\n"));
  return exitCodes.ok;
}
