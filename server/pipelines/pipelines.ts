import { isDeepStrictEqual } from "node:util";
import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import type { ComponentKind } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { Environment } from "../environments/environment.entity.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { collectReferences } from "../secrets/references.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compileIn, placementOf } from "./compile-in.ts";
import type { PipelineCompiler } from "../configuration/compiler.ts";
import { graphValues, type PipelineGraph, type Problem } from "../configuration/graph.ts";
import { PipelineEdge } from "./pipeline-edge.entity.ts";
import { PipelineNode } from "./pipeline-node.entity.ts";
import { Pipeline } from "./pipeline.entity.ts";
import { wire } from "../configuration/wiring.ts";

const namePattern = /^[A-Za-z0-9][A-Za-z0-9 _-]*$/;

/** The team that an environment belongs to, for the audit. */
export async function teamIdOf(scope: Scope, environmentId: string): Promise<string | null> {
  const environment = await scope.em.findOne(Environment, { id: environmentId });
  return environment?.teamId ?? null;
}

export async function findPipeline(scope: Scope, id: string): Promise<Pipeline> {
  const pipeline = await scope.em.findOne(Pipeline, { id });
  if (pipeline === null) throw notFound("pipeline", id);
  return pipeline;
}

export interface PipelineInput {
  readonly environmentId: string;
  readonly name: string;
  readonly description: string;
  readonly yaml: string;
}

/** Creates a draft. Its text may have problems; only one that is no configuration at all has no graph. */
export async function createPipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  input: PipelineInput,
): Promise<Pipeline> {
  const { graph } = await compileIn(
    scope,
    compiler,
    { environmentId: input.environmentId, selector: null },
    input.yaml,
  );
  return translateNameConflict(input.name, () =>
    transact(scope, async (tx) => addPipeline(tx, input, graph)),
  );
}

/** Adds a draft in the caller's transaction. `origin` is how it came to be, for the audit. */
export async function addPipeline(
  scope: Scope,
  input: PipelineInput,
  graph: PipelineGraph | undefined,
  origin: { readonly action: string; readonly metadata: Record<string, unknown> } = {
    action: "pipeline.created",
    metadata: {},
  },
): Promise<Pipeline> {
  const { name, description } = checkNames(input.name, input.description);
  const userId = scope.actor.kind === "user" ? scope.actor.userId : null;
  const pipeline = scope.em.create(Pipeline, {
    id: newId(),
    name,
    description,
    environmentId: input.environmentId,
    yaml: input.yaml,
    // The mapping's default is SQL, and would be stored as a text.
    references: {},
    createdById: userId,
    updatedById: userId,
  });
  await scope.em.flush();
  if (graph !== undefined) await storeGraph(scope, pipeline, graph);
  audit(scope, {
    action: origin.action,
    entityType: "Pipeline",
    entityId: pipeline.id,
    teamId: await teamIdOf(scope, input.environmentId),
    environmentId: input.environmentId,
    metadata: { name, ...origin.metadata },
  });
  await announce(scope.em, {
    kind: "seen",
    environmentId: input.environmentId,
    topic: "pipelines",
  });
  return pipeline;
}

export interface PipelineChange {
  readonly id: string;
  /** The revision that the change was made from. */
  readonly revision: string;
  readonly name?: string | undefined;
  readonly description?: string | undefined;
  readonly yaml?: string | undefined;
}

/** Saves a draft. Throws `stale` when someone else saved since that revision; nothing is lost then. */
export async function updatePipeline(
  scope: Scope,
  compiler: PipelineCompiler,
  change: PipelineChange,
): Promise<Pipeline> {
  const current = await findPipeline(scope, change.id);
  const graph =
    change.yaml === undefined
      ? undefined
      : (await compileIn(scope, compiler, placementOf(current), change.yaml)).graph;
  return translateNameConflict(change.name ?? "", () =>
    transact(scope, async (tx) => {
      const revision = Number(change.revision);
      await tx.em.execute(`select 1 from "Pipeline" where "id" = ? for update`, [change.id]);
      const pipeline = await findPipeline(tx, change.id);
      if (pipeline.revision !== revision) throw stalePipeline();
      const before = {
        name: pipeline.name,
        description: pipeline.description,
        yaml: pipeline.yaml,
      };
      const names = checkNames(
        change.name ?? pipeline.name,
        change.description ?? pipeline.description ?? "",
      );
      const after = { ...names, yaml: change.yaml ?? pipeline.yaml };
      const diff = diffOf(before, after);
      if (Object.keys(diff).length === 0) return pipeline;
      tx.em.assign(pipeline, {
        ...after,
        revision: revision + 1,
        updatedById: scope.actor.kind === "user" ? scope.actor.userId : null,
      });
      await tx.em.flush();
      if (graph !== undefined) await storeGraph(tx, pipeline, graph);
      audit(tx, {
        action: "pipeline.updated",
        entityType: "Pipeline",
        entityId: pipeline.id,
        teamId: await teamIdOf(tx, pipeline.environmentId),
        environmentId: pipeline.environmentId,
        // A text may hold what a person should not have written there: only its size is kept.
        diff:
          diff["yaml"] === undefined
            ? diff
            : { ...diff, yaml: { before: before.yaml.length, after: after.yaml.length } },
      });
      await announce(tx.em, {
        kind: "seen",
        environmentId: pipeline.environmentId,
        topic: "pipelines",
      });
      return pipeline;
    }),
  );
}

export function stalePipeline(): DomainError {
  return new DomainError(
    "stale",
    "pipeline_changed",
    "someone else saved this pipeline since you opened it: load it again and compare",
  );
}

function checkNames(name: string, description: string): { name: string; description: string } {
  const violations = new FieldViolations();
  const checked = {
    name: violations.text("name", name, 1, 100),
    description: violations.text("description", description, 0, 1000),
  };
  if (checked.name !== "" && !namePattern.test(checked.name)) {
    violations.add(
      "name",
      "may have letters, digits, spaces, _ and -, and starts with a letter or digit",
    );
  }
  violations.throwIfAny();
  return checked;
}

/** Names the pipeline that has the name already. */
export function translateNameConflict<T>(name: string, work: () => Promise<T>): Promise<T> {
  return unlessTaken(
    work,
    (cause) =>
      new DomainError(
        "conflict",
        "pipeline_name_taken",
        `this environment already has a pipeline named ${name.trim()}`,
        { cause },
      ),
  );
}

/**
 * Stores the graph beside the text. Components keep their row, and with it their place on the canvas,
 * across saves as long as their name stays.
 */
export async function storeGraph(
  scope: Scope,
  pipeline: Pipeline,
  graph: PipelineGraph,
): Promise<void> {
  const { em } = scope;
  const rows = await em.find(PipelineNode, { pipelineId: pipeline.id });
  const byKey = new Map(rows.map((row) => [row.componentKey, row]));
  await em.nativeDelete(PipelineEdge, { pipelineId: pipeline.id });
  const kept = new Set(graph.components.map(({ key }) => key));
  await followRenames(scope, rows, byKey, graph);
  for (const row of rows) if (!kept.has(row.componentKey)) em.remove(row);
  const columns = { source: 0, transform: 1, sink: 2 };
  graph.components.forEach((component, ordinal) => {
    const values = {
      kind: component.kind.toUpperCase() as ComponentKind,
      componentType: component.type,
      config: { ...component.config },
      yaml: component.yaml,
      ordinal,
    };
    const row = byKey.get(component.key);
    if (row !== undefined) {
      em.assign(row, values);
      return;
    }
    const created = em.create(PipelineNode, {
      id: newId(),
      pipelineId: pipeline.id,
      componentKey: component.key,
      ...values,
      positionX: columns[component.kind] * 280,
      positionY: ordinal * 96,
    });
    byKey.set(component.key, created);
  });
  await em.flush();
  const wiring = wire(graph, loadCatalogue());
  for (const component of graph.components) {
    const target = byKey.get(component.key);
    for (const input of wiring.inputs(component)) {
      // An edge to an output that vanished stays, so that people see where it was.
      const [key = input, ...port] = input.split(".");
      const source = byKey.get(key);
      if (source === undefined || target === undefined || !kept.has(key)) continue;
      em.create(PipelineEdge, {
        id: newId(),
        pipelineId: pipeline.id,
        sourceNodeId: source.id,
        targetNodeId: target.id,
        sourcePort: port.length === 0 ? null : port.join("."),
      });
    }
  }
  em.assign(pipeline, {
    globalConfig: { ...graph.globalConfig },
    references: collectReferences(graphValues(graph)),
  });
  await em.flush();
}

/**
 * A component that is gone and one that is new with the same body are the same one under another name: it keeps its
 * row, and with it its place on the canvas.
 */
async function followRenames(
  scope: Scope,
  rows: readonly PipelineNode[],
  byKey: Map<string, PipelineNode>,
  graph: PipelineGraph,
): Promise<void> {
  const keys = new Set(graph.components.map(({ key }) => key));
  const gone = rows.filter((row) => !keys.has(row.componentKey));
  const fresh = graph.components.filter(({ key }) => !byKey.has(key));
  for (const component of fresh) {
    const same = gone.filter(
      ({ kind, componentType, config, componentKey }) =>
        byKey.has(componentKey) &&
        kind === component.kind.toUpperCase() &&
        componentType === component.type &&
        isDeepStrictEqual(config, component.config),
    );
    const [row] = same;
    if (row === undefined || same.length > 1) continue;
    byKey.delete(row.componentKey);
    byKey.set(component.key, row);
    scope.em.assign(row, { componentKey: component.key });
  }
  await scope.em.flush();
}

/** Throws `invalid`, naming the components, when a text has errors. */
export function refuseErrors(problems: readonly Problem[]): void {
  const errors = problems.filter(({ severity }) => severity === "error");
  const [first] = errors;
  if (first === undefined) return;
  const where = first.componentKey === "" ? "" : `${first.componentKey}: `;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : "";
  throw new DomainError("invalid", "pipeline_has_errors", `${where}${first.message}${more}`, {
    violations: errors.slice(0, 50).map(({ componentKey, field, message }) => ({
      field: [componentKey, field].filter((part) => part !== "").join("."),
      message,
    })),
  });
}
