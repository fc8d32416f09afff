import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import { toCliError } from "../client/failure.ts";
import { sameName } from "../client/names.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { changesAnything, nameOf } from "../folder/plan.ts";
import { findLookalikes, readDeclaration, type Declaration } from "../folder/read-folder.ts";
import { countOf, hasErrors } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import {
  describeResults,
  resultView,
  waitForHosts,
  type Rollout,
  type RolloutResult,
} from "../rollout/wait.ts";
import { planLines, reviewApply, stepView, type ReviewedPlan } from "./apply-review.ts";
import { deploySaved, removeExtra, saveStep, staleError, type Saved } from "./apply-steps.ts";
import { confirm, environmentOf, type CommandContext } from "./context.ts";

/** Shows what `apply` would change, with the texts. */
export function folderDiff(context: CommandContext): Promise<ExitCode> {
  return review(context, true, false, async ({ value, reviewed, prune, output }) => {
    const differs = changesAnything(reviewed.plan, prune);
    output.result({ ...value, result: differs ? "differs" : "unchanged" }, () =>
      differs ? "apply would change this" : "nothing differs",
    );
    return differs ? exitCodes.differences : exitCodes.ok;
  });
}

/** Makes pipelines as files say. */
export function pipelinesApply(context: CommandContext): Promise<ExitCode> {
  const { flags } = context;
  const deploy = flags.deploy === true;
  return review(context, false, deploy, async ({ value, reviewed, prune, environment, output }) => {
    if (flags["dry-run"] === true) {
      const differs = changesAnything(reviewed.plan, prune);
      output.result({ ...value, result: differs ? "would_change" : "unchanged" }, () =>
        differs ? "nothing was changed: this is a dry run" : "nothing to change",
      );
      return differs ? exitCodes.differences : exitCodes.ok;
    }
    const stops = reviewed.steps.flatMap((step) => step.stops);
    if (stops.length > 0 && flags["allow-stops"] !== true) {
      throw new CliError(
        `a new selector would stop pipelines on ${stops.join(", ")}: give --allow-stops if that is meant`,
      );
    }
    const extras = prune ? reviewed.plan.notInFolder : [];
    if (extras.length > 0) {
      const names = extras.map(({ name }) => name).join(", ");
      const question = `Undeploy and delete ${countOf(extras.length, "pipeline")} of ${environment.name}: ${names}?`;
      if (!(await confirm(context, question))) throw new CliError("nothing was changed");
    }
    return carryOut(context, environment, reviewed, value);
  });
}

interface Review {
  readonly environment: Environment;
  readonly reviewed: ReviewedPlan;
  readonly prune: boolean;
  readonly value: object;
  readonly output: CommandContext["output"];
}

/** Plans, checks and shows. Goes on only when every text can be deployed. */
async function review(
  context: CommandContext,
  texts: boolean,
  deploy: boolean,
  goOn: (found: Review) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { client, flags, output, stdin } = context;
  if (flags.file === undefined) throw new UsageError("-f FILE is needed: a file or a folder");
  const declaration = await readDeclaration(flags.file, flags.name, () => stdin.readAll());
  const prune = flags.prune === true;
  if (!declaration.isFolder && prune) throw new UsageError("--prune is for a folder");
  if (declaration.isFolder && flags.revision !== undefined) {
    throw new UsageError("--revision is for one file, not for a folder");
  }
  const environment = await environmentOf(context);
  const endPauses = flags["end-pause"] === true;
  const reviewed = await reviewApply(client, environment, declaration, { deploy, endPauses });
  await checkRevision(context, reviewed);
  if (prune) await refuseDoubtful(flags.file, declaration, reviewed);
  output.show(planLines(reviewed, { texts, prune }, output.paint));
  for (const file of declaration.ignored) output.note(`${file} is no .yaml file and was ignored`);
  const value = {
    environment: environment.name,
    steps: reviewed.steps.map(stepView),
    not_in_folder: reviewed.plan.notInFolder.map(({ name, deployedVersion }) => ({
      pipeline: name,
      deployed_version: deployedVersion === 0 ? null : deployedVersion,
      action: prune ? "delete" : "none",
    })),
  };
  const bad = reviewed.steps.filter(({ problems }) => hasErrors(problems));
  if (bad.length > 0) {
    const names = bad.map(({ step }) => nameOf(step)).join(", ");
    output.result({ ...value, result: "refused" }, () =>
      printable(`${names}: there are errors, and nothing was changed`),
    );
    return exitCodes.failed;
  }
  return goOn({ environment, reviewed, prune, value, output });
}

/** A file in another place or of another spelling is no wish to delete its pipeline. */
async function refuseDoubtful(
  folder: string,
  declaration: Declaration,
  { plan }: ReviewedPlan,
): Promise<void> {
  if (plan.notInFolder.length === 0) return;
  const doubtful = (await findLookalikes(folder, declaration)).filter(
    ({ name, isBelow }) => isBelow || plan.notInFolder.some((extra) => sameName(extra.name, name)),
  );
  if (doubtful.length === 0) return;
  const paths = doubtful.map(({ path }) => path);
  const more = paths.length > 10 ? ` and ${paths.length - 10} more` : "";
  throw new UsageError(
    `--prune would delete ${plan.notInFolder.map(({ name }) => name).join(", ")}, but these files were ignored: ${paths.slice(0, 10).join(", ")}${more}. Name files of pipelines NAME.yaml or NAME.yml in the folder itself, and keep other configurations elsewhere.`,
  );
}

async function checkRevision(
  { client, flags }: CommandContext,
  { plan }: ReviewedPlan,
): Promise<void> {
  const { revision } = flags;
  const [step] = plan.steps;
  if (revision === undefined || step === undefined) return;
  if (step.kind === "create") throw new CliError(`there is no pipeline ${step.declared.name}`);
  if (step.current.revision !== revision) {
    throw await staleError(client, step.declared, step.current.id, revision);
  }
}

/** What happened to one pipeline. */
interface Outcome {
  readonly pipeline: string;
  result: "unchanged" | "created" | "updated" | "deleted" | "failed" | "not_done";
  version: number | null;
  error: string;
}

/** Saves all, deploys what shall be, prunes, and waits. The first failure ends it: the rest is left as it was. */
async function carryOut(
  context: CommandContext,
  environment: Environment,
  { plan }: ReviewedPlan,
  value: object,
): Promise<ExitCode> {
  const { client, flags, output, waitMs, signal } = context;
  const reason = flags.reason ?? "";
  const outcomes: Outcome[] = [];
  let failure: CliError | undefined;
  const attempt = async (outcome: Outcome, work: () => Promise<void>): Promise<void> => {
    if (failure !== undefined) return;
    try {
      await work();
    } catch (thrown) {
      const error = toCliError(thrown, client.baseUrl);
      if (!(error instanceof CliError)) throw error;
      failure = error;
      outcome.result = "failed";
      outcome.error = error.message;
    }
  };
  const saved: { step: (typeof plan.steps)[number]; outcome: Outcome; pipeline: Saved }[] = [];
  for (const step of plan.steps) {
    const outcome = notDone(nameOf(step));
    outcomes.push(outcome);
    await attempt(outcome, async () => {
      const pipeline = await saveStep(client, environment, step, flags["allow-stops"] === true);
      outcome.result = ({ create: "created", update: "updated", unchanged: "unchanged" } as const)[
        step.kind
      ];
      saved.push({ step, outcome, pipeline });
    });
  }
  const rollouts: Rollout[] = [];
  for (const { step, outcome, pipeline } of flags.deploy === true ? saved : []) {
    if (step.kind !== "create" && step.current.pausedVersion !== 0 && !step.deploy) {
      output.note(`${step.current.name} is paused and was not deployed`);
      continue;
    }
    await attempt(outcome, async () => {
      const rollout =
        step.kind === "create" || step.deploy
          ? await deploySaved(client, pipeline, reason, flags["end-pause"] === true)
          : { pipelineId: pipeline.id, name: pipeline.name, version: step.current.deployedVersion };
      outcome.version = rollout.version;
      rollouts.push(rollout);
    });
  }
  for (const extra of flags.prune === true ? plan.notInFolder : []) {
    const outcome = notDone(extra.name);
    outcomes.push(outcome);
    await attempt(outcome, async () => {
      await removeExtra(client, extra, reason === "" ? "it has no file any longer" : reason);
      outcome.result = "deleted";
    });
  }
  let results: readonly RolloutResult[] = [];
  if (rollouts.length > 0 && waitMs > 0) {
    output.note("waiting for the hosts");
    const skipUnreachable = flags["skip-unreachable"] === true;
    const options = { environmentId: environment.id, waitMs, skipUnreachable };
    results = await waitForHosts(client, rollouts, options, output, signal);
  }
  const good = failure === undefined && results.every((result) => result.good);
  const rolloutViews = results.map(resultView);
  output.result(
    { ...value, result: good ? "applied" : "failed", outcomes, rollouts: rolloutViews },
    () =>
      printable(
        [
          ...outcomes.map(outcomeLine),
          ...(results.length === 0 ? [] : [describeResults(results)]),
        ].join("\n"),
      ),
  );
  if (failure !== undefined) return failure.exitCode;
  return good ? exitCodes.ok : exitCodes.failed;
}

function notDone(pipeline: string): Outcome {
  return { pipeline, result: "not_done", version: null, error: "" };
}

function outcomeLine({ pipeline, result, version, error }: Outcome): string {
  const deployed = version === null ? "" : `, version ${version}`;
  return `${pipeline} ${result.replace("_", " ")}${deployed}${error === "" ? "" : `: ${error}`}`;
}
