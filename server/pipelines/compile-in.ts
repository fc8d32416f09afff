import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { Certificate } from "../secrets/certificate.entity.ts";
import { Secret } from "../secrets/secret.entity.ts";
import { versionsInUse } from "../schemas/versions-in-use.ts";
import type { CheckContext } from "../configuration/check/check.ts";
import type { FilledPipeline } from "../configuration/compile-filled.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import type { PipelineEdit } from "../configuration/edit/edit-text.ts";
import { sizeProblem } from "../configuration/graph.ts";
import { findNeighbours, type Placement } from "./neighbours.ts";
import type { Pipeline } from "./pipeline.entity.ts";
import type { Renamed } from "../configuration/edit/rename.ts";

export interface CompileOptions {
  /** Also makes the configuration for hosts. */
  readonly rendered?: boolean;
  /** Values of variables that count instead of the environment's. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Compiles a text against what exists in its environment, and on the hosts that it is meant for. */
export async function compileIn(
  scope: Scope,
  compiler: PipelineCompiler,
  placement: Placement,
  text: string,
  options: CompileOptions = {},
): Promise<FilledPipeline> {
  return compiler.compile(text, await checkContextOf(scope, compiler, placement, text, options));
}

/** What a text is checked against. Throws `invalid` when it is too long. */
export async function checkContextOf(
  scope: Scope,
  compiler: PipelineCompiler,
  placement: Placement,
  text: string,
  { rendered = false, variables = {} }: CompileOptions = {},
): Promise<CheckContext> {
  refuseTooLarge(text);
  const { environmentId } = placement;
  const [secrets, certificates, values, neighbours, versions] = await Promise.all([
    scope.em.find(Secret, { environmentId }, { fields: ["name", "reference", "readAt"] }),
    scope.em.find(Certificate, { environmentId }, { fields: ["name"] }),
    readVariables(scope.em, environmentId),
    findNeighbours(scope, placement),
    versionsInUse(scope, compiler, environmentId),
  ]);
  return {
    secretNames: new Set(secrets.map(({ name }) => name)),
    unreadSecrets: new Set(
      secrets
        .filter(({ reference, readAt }) => reference != null && readAt == null)
        .map(({ name }) => name),
    ),
    certificateNames: new Set(certificates.map(({ name }) => name)),
    variables: new Map([...values, ...Object.entries(variables)]),
    neighbours,
    versions,
    rendered,
  };
}

/** The values of an environment's variables by name. */
async function readVariables(
  em: Scope["em"],
  environmentId: string,
): Promise<readonly (readonly [name: string, value: string])[]> {
  const rows = await em.execute<{ name: string; value: string }[]>(
    `select "name", "value" from "Variable" where "environmentId" = ?`,
    [environmentId],
  );
  return rows.map(({ name, value }) => [name, value]);
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
  refuseTooLarge(text);
  const renamed = await compiler.edit(text, edit);
  if (renamed.kind === "impossible") {
    throw new DomainError("invalid", "edit_impossible", renamed.message);
  }
  return renamed;
}

function refuseTooLarge(text: string): void {
  const message = sizeProblem(text);
  if (message === undefined) return;
  throw new DomainError("invalid", "pipeline_too_large", message, {
    violations: [{ field: "yaml", message }],
  });
}
