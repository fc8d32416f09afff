import { createHash } from "node:crypto";
import { audit } from "../../audit/audit.ts";
import { announce } from "../../db/changes.ts";
import { transact } from "../../db/transaction.ts";
import { Environment } from "../../environments/environment.entity.ts";
import { DomainError, notFound } from "../../errors.ts";
import type { Scope } from "../../scope.ts";
import { collectReferences, listReferences, type Reference } from "../../secrets/references.ts";
import { copyPlaces, copySettings } from "./clone.ts";
import type { CompiledPipeline } from "../../configuration/compile.ts";
import type { PipelineCompiler } from "../../configuration/compiler.ts";
import { describeMissing, lockDelivery } from "../delivery/delivery.ts";
import { findVersion } from "../deployments.ts";
import { graphValues, type Problem } from "../../configuration/graph.ts";
import { Pipeline } from "../pipeline.entity.ts";
import { compileIn } from "../compile-in.ts";
import {
  addPipeline,
  findPipeline,
  stalePipeline,
  storeGraph,
  teamIdOf,
  translateNameConflict,
} from "../pipelines.ts";
import { hasUndeployedText } from "../versions.ts";

/** What shall go where. */
export interface PromotionInput {
  readonly id: string;
  readonly targetEnvironmentId: string;
  /** 0 is the saved draft. */
  readonly version: number;
  /** Empty keeps the name. */
  readonly name: string;
}

/** What a promotion would do. */
export interface PromotionPreview {
  readonly yaml: string;
  readonly references: readonly (Needed & { readonly exists: boolean })[];
  readonly problems: readonly Problem[];
  /** The pipeline that has the name there. */
  readonly target: (Pipeline & { readonly changed: boolean }) | undefined;
  readonly sourceRevision: number;
}

interface Source {
  readonly pipeline: Pipeline;
  readonly yaml: string;
  readonly name: string;
}

async function readSource(scope: Scope, input: PromotionInput): Promise<Source> {
  const pipeline = await findPipeline(scope, input.id);
  if (pipeline.environmentId === input.targetEnvironmentId) {
    throw new DomainError(
      "invalid",
      "same_environment",
      `${pipeline.name} is in this environment already: clone it, or choose another environment`,
      { violations: [{ field: "target_environment_id", message: "must be another environment" }] },
    );
  }
  const { version } = input;
  const yaml =
    version === 0 ? pipeline.yaml : (await findVersion(scope, pipeline.id, version)).sourceYaml;
  return { pipeline, yaml, name: input.name.trim() === "" ? pipeline.name : input.name.trim() };
}

export async function previewPromotion(
  scope: Scope,
  compiler: PipelineCompiler,
  input: PromotionInput,
): Promise<PromotionPreview> {
  const { targetEnvironmentId } = input;
  const source = await readSource(scope, input);
  const placement = { environmentId: targetEnvironmentId, selector: null };
  const compiled = await compileIn(scope, compiler, placement, source.yaml);
  const wanted = referencesOf(compiled);
  const missing = new Set(await missingIn(scope, targetEnvironmentId, wanted));
  const target = await findByName(scope, targetEnvironmentId, source.name);
  return {
    yaml: source.yaml,
    references: wanted.map((reference) => ({ ...reference, exists: !missing.has(reference) })),
    problems: compiled.problems,
    target:
      target === null
        ? undefined
        : Object.assign(target, { changed: await hasUndeployedText(scope.em, target) }),
    sourceRevision: source.pipeline.revision,
  };
}

/**
 * Makes the draft there, or replaces the one that has the name, in one transaction with the look whether everything
 * that it refers to exists there. Nothing is deployed.
 */
export async function promotePipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: PromotionInput & { readonly targetRevision: string; readonly sourceRevision: string },
): Promise<{ readonly pipeline: Pipeline; readonly created: boolean }> {
  const { targetEnvironmentId } = input;
  const source = await readSource(scope, input);
  if (
    input.version === 0 &&
    input.sourceRevision !== "" &&
    source.pipeline.revision !== Number(input.sourceRevision)
  ) {
    throw stalePipeline();
  }
  const placement = { environmentId: targetEnvironmentId, selector: null };
  const compiled = await compileIn(scope, compiler, placement, source.yaml);
  const wanted = referencesOf(compiled);
  return translateNameConflict(source.name, () =>
    transact(scope, async (tx) => {
      await lockDelivery(tx, targetEnvironmentId);
      const there = await tx.em.findOneOrFail(Environment, { id: targetEnvironmentId });
      refuseMissing(await missingIn(tx, targetEnvironmentId, wanted), there.name);
      const origin = {
        action: "pipeline.promoted",
        metadata: await provenance(tx, source, input.version),
      };
      const existing = await findByName(tx, targetEnvironmentId, source.name);
      if (existing === null) {
        if (input.targetRevision !== "") throw notFound("pipeline", source.name);
        const pipeline = await addPipeline(
          tx,
          {
            environmentId: targetEnvironmentId,
            name: source.name,
            description: source.pipeline.description ?? "",
            yaml: source.yaml,
          },
          compiled.graph,
          origin,
        );
        await copySettings(tx, source.pipeline, pipeline);
        await copyPlaces(tx, source.pipeline.id, pipeline.id);
        return { pipeline, created: true };
      }
      const pipeline = await replaceDraft(tx, existing, source, compiled, input.targetRevision);
      audit(tx, {
        ...origin,
        entityType: "Pipeline",
        entityId: pipeline.id,
        teamId: await teamIdOf(tx, targetEnvironmentId),
        environmentId: targetEnvironmentId,
        diff: { yaml: { before: existing.yaml.length, after: source.yaml.length } },
      });
      const environmentId = targetEnvironmentId;
      await announce(tx.em, { kind: "seen", environmentId, topic: "pipelines" });
      return { pipeline, created: false };
    }),
  );
}

async function replaceDraft(
  tx: Scope,
  { id }: Pipeline,
  source: Source,
  { graph }: CompiledPipeline,
  targetRevision: string,
): Promise<Pipeline> {
  await tx.em.execute(`select 1 from "Pipeline" where "id" = ? for update`, [id]);
  const pipeline = await findPipeline(tx, id);
  await tx.em.refresh(pipeline);
  if (targetRevision === "") {
    throw new DomainError(
      "conflict",
      "pipeline_name_taken",
      `that environment already has a pipeline named ${pipeline.name}: look at what would be replaced, or give another name`,
    );
  }
  if (pipeline.revision !== Number(targetRevision)) throw stalePipeline();
  tx.em.assign(pipeline, {
    yaml: source.yaml,
    revision: pipeline.revision + 1,
    updatedById: tx.actor.kind === "user" ? tx.actor.userId : null,
  });
  await tx.em.flush();
  if (graph !== undefined) {
    await storeGraph(tx, pipeline, graph);
    await copyPlaces(tx, source.pipeline.id, pipeline.id);
  }
  return pipeline;
}

/** Where a draft came from, for the audit. */
async function provenance(tx: Scope, { pipeline, yaml }: Source, version: number) {
  const environment = await tx.em.findOne(Environment, { id: pipeline.environmentId });
  return {
    fromPipelineId: pipeline.id,
    fromPipelineName: pipeline.name,
    fromEnvironmentId: pipeline.environmentId,
    fromEnvironmentName: environment?.name ?? "",
    ...(version === 0 ? { fromRevision: pipeline.revision } : { fromVersion: version }),
    textSha256: createHash("sha256").update(yaml).digest("hex"),
  };
}

/** What a text needs of its environment. */
interface Needed {
  readonly kind: Reference["kind"] | "variable";
  readonly name: string;
}

function referencesOf({ graph }: CompiledPipeline): readonly Needed[] {
  if (graph === undefined) return [];
  const references = collectReferences(graphValues(graph));
  const variables = (references.variables ?? []).map((name): Needed => ({
    kind: "variable",
    name,
  }));
  return [...listReferences(references), ...variables];
}

async function missingIn(
  scope: Scope,
  environmentId: string,
  wanted: readonly Needed[],
): Promise<readonly Needed[]> {
  const rows = await scope.em.execute<{ key: string }[]>(
    `select 'secret/' || "name" as "key" from "Secret" where "environmentId" = ?
     union all select 'certificate/' || "name" from "Certificate" where "environmentId" = ?
     union all select 'variable/' || "name" from "Variable" where "environmentId" = ?`,
    [environmentId, environmentId, environmentId],
  );
  const known = new Set(rows.map(({ key }) => key));
  return wanted.filter(({ kind, name }) => !known.has(`${kind}/${name}`));
}

function refuseMissing(missing: readonly Needed[], where: string): void {
  if (missing.length === 0) return;
  throw new DomainError("invalid", "reference_missing", describeMissing(missing, where), {
    violations: missing.slice(0, 50).map(({ kind, name }) => ({
      field: kind,
      message: `there is no ${kind} named ${name} in ${where}`,
    })),
  });
}

async function findByName(
  scope: Scope,
  environmentId: string,
  name: string,
): Promise<Pipeline | null> {
  const [row] = await scope.em.execute<{ id: string }[]>(
    `select "id" from "Pipeline" where "environmentId" = ? and lower("name") = lower(?)`,
    [environmentId, name],
  );
  return row === undefined ? null : scope.em.findOne(Pipeline, { id: row.id });
}
