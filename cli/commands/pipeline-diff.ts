import { findPipeline } from "../client/lookups.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { effectName } from "../output/names.ts";
import { changeLines, textDiff } from "../output/pipeline-texts.ts";
import { changeView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { folderDiff } from "./pipeline-apply.ts";

/** Shows what `apply` would change, or how two versions of one pipeline differ. */
export async function pipelinesDiff(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument, flags } = context;
  const ofVersions = argument !== "" || flags.from !== undefined || flags.to !== undefined;
  if (!ofVersions) return folderDiff(context);
  if (flags.file !== undefined) {
    throw new UsageError("-f compares files, and a NAME with --from and --to versions: give one");
  }
  if (argument === "") throw new UsageError("--from and --to need the NAME of a pipeline");
  const found = await findPipeline(client, await environmentOf(context), argument);
  const { id, name, deployedVersion, pausedVersion, undeployedVersion } = found;
  const newest = deployedVersion || pausedVersion || undeployedVersion;
  if (newest === 0 && flags.from === undefined) {
    throw new CliError(`${name} was never deployed: there is nothing to compare its draft with`);
  }
  const fromVersion = numberOf("--from", flags.from) ?? newest;
  const toVersion = numberOf("--to", flags.to) ?? 0;
  const compared = await client.previews.compareVersions({
    pipelineId: id,
    fromVersion,
    toVersion,
  });
  const { fromYaml, toYaml } = compared;
  const differs = fromYaml !== toYaml || compared.changes.length > 0;
  output.show([
    ...changeLines(compared, output.paint),
    ...textDiff(fromYaml, toYaml, output.paint),
  ]);
  const value = {
    pipeline: name,
    from: fromVersion || null,
    to: toVersion || null,
    effect: effectName(compared.effect),
    changes: compared.changes.map(changeView),
    changed_options: compared.changedOptions,
    result: differs ? "differs" : "unchanged",
    from_yaml: fromYaml,
    to_yaml: toYaml,
  };
  output.result(value, () => (differs ? "they differ" : "nothing differs"));
  return differs ? exitCodes.differences : exitCodes.ok;
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  if (!Number.isInteger(number) || number < 0 || number > 0xffff_ffff) {
    throw new UsageError(`${flag} must be the number of a version, or 0 for the draft`);
  }
  return number;
}
