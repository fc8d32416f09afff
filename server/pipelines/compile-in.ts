import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { Certificate } from "../secrets/certificate.entity.ts";
import { Secret } from "../secrets/secret.entity.ts";
import { versionsInUse } from "../schemas/versions-in-use.ts";
import type { CheckContext } from "./check.ts";
import type { CompiledPipeline } from "./compile.ts";
import type { PipelineCompiler } from "./compiler.ts";
import type { PipelineEdit } from "./edit-text.ts";
import { maximumTextLength } from "./graph.ts";
import { findNeighbours, type Placement } from "./neighbours.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import type { Renamed } from "./rename.ts";

/**
 * Compiles a text against what exists in its environment, and on the hosts that it is meant for. The configuration for
 * hosts is made only when it is wanted.
 */
export async function compileIn(
  scope: Scope,
  compiler: PipelineCompiler,
  placement: Placement,
  text: string,
  want: "problems" | "config" = "problems",
): Promise<CompiledPipeline> {
  if (text.length > maximumTextLength) throw textTooLong(text.length);
  const { environmentId } = placement;
  const [secrets, certificates, neighbours, versions] = await Promise.all([
    scope.em.find(Secret, { environmentId }, { fields: ["name"] }),
    scope.em.find(Certificate, { environmentId }, { fields: ["name"] }),
    findNeighbours(scope, placement),
    versionsInUse(scope, compiler, environmentId),
  ]);
  const context: CheckContext = {
    secretNames: new Set(secrets.map(({ name }) => name)),
    certificateNames: new Set(certificates.map(({ name }) => name)),
    neighbours,
    versions,
    rendered: want === "config",
  };
  return compiler.compile(text, context);
}

/** Where a pipeline runs. */
export function placementOf(
  pipeline: Pick<Pipeline, "id" | "environmentId" | "nodeSelector">,
): Placement {
  const { id, environmentId, nodeSelector } = pipeline;
  const selector = nodeSelector == null ? null : JSON.stringify(nodeSelector);
  return { environmentId, pipelineId: id, selector };
}

/** Changes a text in place. Throws `invalid` when it cannot be. */
export async function editPipeline(
  compiler: PipelineCompiler,
  text: string,
  edit: PipelineEdit,
): Promise<Extract<Renamed, { kind: "renamed" }>> {
  if (text.length > maximumTextLength) throw textTooLong(text.length);
  const renamed = await compiler.edit(text, edit);
  if (renamed.kind === "impossible") {
    throw new DomainError("invalid", "edit_impossible", renamed.message);
  }
  return renamed;
}

function textTooLong(length: number): DomainError {
  return new DomainError(
    "invalid",
    "pipeline_too_large",
    `the text has ${length} characters; at most ${maximumTextLength} are accepted`,
    {
      violations: [{ field: "yaml", message: `must have at most ${maximumTextLength} characters` }],
    },
  );
}
