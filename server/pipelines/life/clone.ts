import { transact } from "../../db/transaction.ts";
import type { Scope } from "../../scope.ts";
import type { PipelineCompiler } from "../../configuration/compiler.ts";
import type { Pipeline } from "../pipeline.entity.ts";
import { compileIn, placementOf } from "../compile-in.ts";
import { addPipeline, findPipeline, translateNameConflict } from "../pipelines.ts";

const maximumNameLength = 100;

/** Makes a draft of another name with the draft and the settings of a pipeline. */
export async function clonePipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: { readonly id: string; readonly name: string },
): Promise<Pipeline> {
  const source = await findPipeline(scope, input.id);
  const { graph } = await compileIn(scope, compiler, placementOf(source), source.yaml);
  const name =
    input.name.trim() === ""
      ? await freeName(scope, source.environmentId, source.name)
      : input.name;
  return translateNameConflict(name, () =>
    transact(scope, async (tx) => {
      const clone = await addPipeline(
        tx,
        {
          environmentId: source.environmentId,
          name,
          description: source.description ?? "",
          yaml: source.yaml,
        },
        graph,
        {
          action: "pipeline.cloned",
          metadata: {
            fromPipelineId: source.id,
            fromPipelineName: source.name,
            fromRevision: source.revision,
          },
        },
      );
      await copySettings(tx, source, clone);
      await copyPlaces(tx, source.id, clone.id);
      return clone;
    }),
  );
}

/** Where it runs, how loudly, with how much, and whether its tests must pass. What is not deployed is changed by it nowhere. */
export async function copySettings(tx: Scope, from: Pipeline, to: Pipeline): Promise<void> {
  tx.em.assign(to, {
    nodeSelector: from.nodeSelector ?? null,
    logLevel: from.logLevel ?? null,
    memoryLimitMib: from.memoryLimitMib,
    cpuLimitCores: from.cpuLimitCores,
    testGate: from.testGate,
  });
  await tx.em.flush();
}

/** Gives components the places on the canvas that those of the same name have in another pipeline. */
export async function copyPlaces(tx: Scope, fromId: string, toId: string): Promise<void> {
  await tx.em.execute(
    `update "PipelineNode" t set "positionX" = s."positionX", "positionY" = s."positionY"
     from "PipelineNode" s
     where s."pipelineId" = ? and t."pipelineId" = ? and s."componentKey" = t."componentKey"`,
    [fromId, toId],
  );
}

async function freeName(scope: Scope, environmentId: string, name: string): Promise<string> {
  const rows = await scope.em.execute<{ name: string }[]>(
    `select lower("name") as "name" from "Pipeline" where "environmentId" = ?`,
    [environmentId],
  );
  const taken = new Set(rows.map((row) => row.name));
  for (let count = 1; ; count += 1) {
    const suffix = count === 1 ? " copy" : ` copy ${count}`;
    const candidate = name.slice(0, maximumNameLength - suffix.length).trimEnd() + suffix;
    if (!taken.has(candidate.toLowerCase())) return candidate;
  }
}
