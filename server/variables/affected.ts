import { transact } from "../db/transaction.ts";
import { DomainError, FieldViolations } from "../errors.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compareConfigs } from "../configuration/changes.ts";
import { compileIn } from "../pipelines/compile-in.ts";
import type { FilledPipeline } from "../configuration/compile-filled.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { lockDelivery } from "../pipelines/delivery/delivery.ts";
import { lockPipeline, publish, recordDeploy } from "../pipelines/deployments.ts";
import { refuseErrors } from "../pipelines/pipelines.ts";
import type { Placement } from "../pipelines/neighbours.ts";
import type { Scope } from "../scope.ts";
import { findTestObjections, type TestObjection } from "../trials/trials.ts";
import type { Variable } from "./variable.entity.ts";
import {
  checkVariableValue,
  findVariable,
  staleVariable,
  writeVariable,
  type VariableChange,
} from "./variables.ts";

/** A deployed pipeline that was made with a variable. */
interface DeployedWith {
  readonly id: string;
  readonly environmentId: string;
  readonly name: string;
  readonly version: number;
  readonly sourceYaml: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly nodeCount: number;
  readonly testGate: boolean;
  readonly testedHash: string | null;
}

/** More are changed one by one: each is compiled before anything is written. */
const maximumDeploys = 100;

async function readDeployedWith(
  scope: Pick<Scope, "em">,
  environmentId: string,
  name: string,
): Promise<readonly DeployedWith[]> {
  return scope.em.execute<DeployedWith[]>(
    `select p."id", p."environmentId", p."name", v."version", v."sourceYaml", v."variables", p."testGate", p."testedHash",
       (select count(*)::int from "VectorNode" n where n."environmentId" = p."environmentId"
         and n."nodeTokenHash" is not null
         and (p."nodeSelector" is null or "node_selector_matches"(p."nodeSelector", n."labels"))) as "nodeCount"
     from "Pipeline" p
     join "PipelineVersion" v on v."pipelineId" = p."id" and v."version" = p."deployedVersion"
     where p."environmentId" = ? and jsonb_exists(v."variables", ?) order by lower(p."name")`,
    [environmentId, name],
  );
}

/** What another value would do to one pipeline. */
export interface VariableEffect {
  readonly pipelineId: string;
  readonly name: string;
  readonly componentKeys: readonly string[];
  readonly errors: readonly string[];
  /** Why its tests would refuse a deploy; none for one that is deployed whatever they say. */
  readonly failedTests: readonly string[];
  readonly nodeCount: number;
}

/** Compiles every deployed pipeline that runs with a variable as it would be with another value (S20). */
export async function previewVariable(
  scope: Scope,
  compiler: PipelineCompiler,
  input: { readonly environmentId: string; readonly id: string; readonly value: string },
): Promise<readonly VariableEffect[]> {
  const violations = new FieldViolations();
  checkVariableValue(input.value, violations);
  violations.throwIfAny();
  const variable = await findVariable(scope, input);
  const deployed = await readDeployedWith(scope, input.environmentId, variable.name);
  refuseTooMany(deployed);
  const effects: VariableEffect[] = [];
  for (const pipeline of deployed) {
    const values = { [variable.name]: input.value };
    const before = await compileWith(scope, compiler, pipeline, pipeline.variables);
    const after = await compileWith(scope, compiler, pipeline, values);
    const stays = pipeline.variables[variable.name] === input.value;
    effects.push({
      pipelineId: pipeline.id,
      name: pipeline.name,
      nodeCount: pipeline.nodeCount,
      componentKeys:
        after.filledGraph === undefined
          ? []
          : compareConfigs(before.filledGraph, after.filledGraph, loadCatalogue()).components.map(
              ({ key }) => key,
            ),
      errors: after.problems
        .filter(({ severity }) => severity === "error")
        .slice(0, 5)
        .map(({ componentKey, message }) =>
          componentKey === "" ? message : `${componentKey}: ${message}`,
        ),
      failedTests: stays ? [] : await nameFailedTests(scope, compiler, pipeline, after, values),
    });
  }
  return effects;
}

/** What listens elsewhere warns, and no warning is asked for. */
function placementOf({ id, environmentId }: DeployedWith): Placement {
  return { environmentId, pipelineId: id, selector: null };
}

/** Makes what hosts would get of the deployed text, with these values instead of the environment's. */
function compileWith(
  scope: Scope,
  compiler: PipelineCompiler,
  pipeline: DeployedWith,
  variables: Readonly<Record<string, string>>,
): Promise<FilledPipeline> {
  const options = { rendered: true, variables };
  return compileIn(scope, compiler, placementOf(pipeline), pipeline.sourceYaml, options);
}

/** Why the tests of a text without errors keep it from being deployed with these values. */
async function objectionsTo(
  scope: Scope,
  compiler: PipelineCompiler,
  pipeline: DeployedWith,
  { configYaml }: FilledPipeline,
  variables: Readonly<Record<string, string>>,
): Promise<readonly TestObjection[]> {
  const { testGate, testedHash, sourceYaml: text } = pipeline;
  if (!testGate || configYaml === undefined) return [];
  const placement = placementOf(pipeline);
  return findTestObjections(scope, compiler, {
    placement,
    text,
    configYaml,
    testedHash,
    variables,
  });
}

/** The same for people, one line each. Tests that do not end keep nobody from changing a value. */
async function nameFailedTests(
  ...asked: Parameters<typeof objectionsTo>
): Promise<readonly string[]> {
  try {
    const objections = await objectionsTo(...asked);
    return objections.slice(0, 5).map(({ message }) => message.replaceAll(/\s*\n\s*/g, " "));
  } catch (error) {
    if (!(error instanceof DomainError) || error.kind !== "invalid") throw error;
    return [error.message];
  }
}

function refuseTooMany(deployed: readonly DeployedWith[]): void {
  if (deployed.length <= maximumDeploys) return;
  throw new DomainError(
    "precondition",
    "too_many_pipelines",
    `${deployed.length} pipelines run with this variable; at most ${maximumDeploys} are changed at once: save the value, and deploy them in turn`,
  );
}

/**
 * Changes a variable. With `deploy`, every pipeline that runs with it is published anew from the text that is
 * deployed, so that a draft stays a draft; all of it in one transaction. Throws `invalid`, naming the pipeline, when
 * one would have errors, and `precondition` when the tests of one that needs them would not pass.
 */
export async function updateVariable(
  scope: Scope,
  compiler: PipelineCompiler,
  change: VariableChange & { readonly deploy: boolean },
): Promise<{
  readonly variable: Variable;
  readonly deployed: readonly string[];
  readonly stale: readonly string[];
}> {
  const { environmentId } = change;
  const { name, value: before } = await findVariable(scope, change);
  if (before !== change.valueBefore) throw staleVariable(name);
  const running = await readDeployedWith(scope, environmentId, name);
  const concerned = running.filter(({ variables }) => variables[name] !== change.value);
  const compiled = change.deploy
    ? await compileAll(scope, compiler, concerned, { [name]: change.value })
    : [];
  return transact(scope, async (tx) => {
    await lockDelivery(tx, environmentId);
    const metadata = { deployed: compiled.map(({ pipeline }) => pipeline.name).slice(0, 50) };
    const variable = await writeVariable(tx, change, metadata);
    const reason = `Variable ${name}: ${JSON.stringify(change.value).slice(0, 200)}`;
    for (const { pipeline, result } of compiled) {
      const row = await lockPipeline(tx, pipeline.id);
      if (row.deployedVersion !== pipeline.version) {
        throw new DomainError(
          "stale",
          "pipeline_changed",
          `${pipeline.name} was deployed meanwhile: try again`,
        );
      }
      const version = await publish(tx, row, result, pipeline.sourceYaml, reason);
      await recordDeploy(tx, row, version, "pipeline.deployed", null);
    }
    return {
      variable,
      deployed: compiled.map(({ pipeline }) => pipeline.name),
      stale: change.deploy ? [] : concerned.map(({ name: pipelineName }) => pipelineName),
    };
  });
}

async function compileAll(
  scope: Scope,
  compiler: PipelineCompiler,
  pipelines: readonly DeployedWith[],
  values: Readonly<Record<string, string>>,
): Promise<readonly { pipeline: DeployedWith; result: FilledPipeline }[]> {
  refuseTooMany(pipelines);
  const compiled: { pipeline: DeployedWith; result: FilledPipeline }[] = [];
  for (const pipeline of pipelines) {
    const result = await compileWith(scope, compiler, pipeline, values);
    try {
      refuseErrors(result.problems);
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      throw new DomainError(
        error.kind,
        error.reason,
        `nothing was changed: ${pipeline.name} would have errors: ${error.message}`,
        { cause: error },
      );
    }
    const [objection] = await objectionsTo(scope, compiler, pipeline, result, values);
    if (objection !== undefined) {
      throw new DomainError(
        "precondition",
        objection.reason,
        `nothing was changed: ${pipeline.name} is deployed only when its tests pass: ${objection.message}`,
      );
    }
    compiled.push({ pipeline, result });
  }
  return compiled;
}
