import type { EntityManager } from "@mikro-orm/postgresql";
import { audit } from "../../audit/audit.ts";
import { announce } from "../../db/changes.ts";
import { transact } from "../../db/transaction.ts";
import { DomainError, FieldViolations } from "../../errors.ts";
import { etagFor } from "../../etag.ts";
import type { Scope } from "../../scope.ts";
import { raiseGeneration, renewDeliveries } from "./delivery.ts";
import { announceDeploy, lockPipeline } from "../deployments.ts";
import type { Pipeline } from "../pipeline.entity.ts";
import { teamIdOf } from "../pipelines.ts";
import { describeSelector, matchesSelector, type Selector, type SelectorTerm } from "./selector.ts";

export type Effect = "stays" | "starts" | "stops" | "none";

/** A node that a selector selects, or no longer does. */
export interface SelectedNode {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  readonly maintenance: boolean;
  readonly effect: Effect;
}

/** What a selector would do now. */
export interface SelectorPreview {
  readonly nodes: readonly SelectedNode[];
  readonly selectedCount: number;
  readonly startingCount: number;
  readonly stoppingCount: number;
  readonly totalCount: number;
}

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

/** Identifies a selector, so that the second of two editors is told. */
export function etagOf(selector: Selector): string {
  // The database keeps the terms' fields in an order of its own.
  const terms = (selector ?? []).map(({ key, operator, values }) => [key, operator, values]);
  return etagFor(terms);
}

/** A selector of a request: null when it has no terms. Throws `invalid` with every bad term. */
export function checkSelector(terms: readonly SelectorTerm[]): Selector {
  const violations = new FieldViolations();
  if (terms.length > 20) violations.add("selector.terms", "may be at most 20");
  terms.slice(0, 20).forEach(({ key, operator, values }, index) => {
    const field = `selector.terms[${index}]`;
    if (!/^[A-Za-z0-9][A-Za-z0-9_./-]{0,62}$/.test(key)) {
      violations.add(`${field}.key`, "is no label name: use letters, digits, _ . / -");
    }
    const bare = operator === "exists" || operator === "not_exists";
    const most = bare ? 0 : operator === "in" ? 50 : 1;
    if (values.length > most || (!bare && values.length === 0)) {
      violations.add(
        `${field}.values`,
        bare ? "must be empty" : operator === "in" ? "must be 1 to 50" : "must be exactly one",
      );
    }
    if (values.some((value) => value.length > 200)) {
      violations.add(`${field}.values`, "must have at most 200 characters each");
    }
  });
  violations.throwIfAny();
  return terms.length === 0 ? null : terms;
}

interface NodeRow {
  readonly id: string;
  readonly name: string;
  readonly connected: boolean;
  readonly maintenance: boolean;
  readonly labels: Record<string, string>;
}

/** Compares a selector with the one in force, over every node of the environment. */
export async function previewSelector(
  em: EntityManager,
  pipeline: Pick<Pipeline, "environmentId" | "nodeSelector" | "deployedVersion">,
  selector: Selector,
): Promise<SelectorPreview> {
  const rows = await em.execute<NodeRow[]>(
    `select "id", "name", "status" in ('HEALTHY', 'DEGRADED') as "connected", "maintenanceMode" as "maintenance",
       "labels"
     from "VectorNode" where "environmentId" = ? and "nodeTokenHash" is not null order by lower("name"), "id"`,
    [pipeline.environmentId],
  );
  const before = pipeline.nodeSelector ?? null;
  const nodes: SelectedNode[] = [];
  let selectedCount = 0;
  for (const { labels, ...row } of rows) {
    const selected = matchesSelector(selector, labels);
    const effect = effectOf(pipeline, matchesSelector(before, labels), selected);
    if (selected) selectedCount += 1;
    if (selected || effect === "stops") nodes.push({ ...row, effect });
  }
  const count = (effect: Effect): number =>
    nodes.filter((node) => node.effect === effect && !node.maintenance).length;
  return {
    nodes,
    selectedCount,
    startingCount: count("starts"),
    stoppingCount: count("stops"),
    totalCount: rows.length,
  };
}

function effectOf(
  { deployedVersion }: { readonly deployedVersion?: number | null | undefined },
  before: boolean,
  after: boolean,
): Effect {
  if (deployedVersion == null || (!before && !after)) return "none";
  if (before === after) return "stays";
  return after ? "starts" : "stops";
}

/**
 * Sets which nodes a pipeline is for; it moves at once (P4). Throws `precondition`, naming the hosts, when it
 * would stop somewhere and nobody said that this is meant (S20), and `stale` when the selector was changed since.
 */
export async function setSelector(
  scope: Scope,
  input: {
    readonly pipelineId: string;
    readonly selector: Selector;
    readonly etag: string;
    readonly confirmStops: boolean;
  },
): Promise<{ readonly selector: Selector; readonly preview: SelectorPreview }> {
  const { selector } = input;
  return transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, input.pipelineId);
    const before = pipeline.nodeSelector ?? null;
    if (input.etag !== etagOf(before)) {
      throw new DomainError(
        "stale",
        "selector_changed",
        "someone else changed which hosts this pipeline is for: look again",
      );
    }
    const preview = await previewSelector(tx.em, pipeline, selector);
    if (etagOf(selector) === etagOf(before)) return { selector, preview };
    const stopped = preview.nodes.filter(({ effect }) => effect === "stops");
    if (preview.stoppingCount > 0 && !input.confirmStops) throw stopsHosts(stopped);
    tx.em.assign(pipeline, { nodeSelector: selector });
    await raiseGeneration(tx, pipeline.environmentId);
    audit(tx, {
      action: "pipeline.selector_changed",
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: {
        nodeSelector: { before: describeSelector(before), after: describeSelector(selector) },
      },
      metadata: {
        startedNodes: preview.startingCount,
        stoppedNodes: preview.stoppingCount,
        stoppedNodeNames: stopped.slice(0, 50).map(({ name }) => name),
      },
    });
    await tx.em.flush();
    await announceDeploy(tx, pipeline.environmentId);
    return { selector, preview };
  });
}

function stopsHosts(stopped: readonly SelectedNode[]): DomainError {
  const named = stopped.slice(0, 5).map(({ name }) => name);
  const more = stopped.length > 5 ? ` and ${stopped.length - 5} more` : "";
  return new DomainError(
    "precondition",
    "selector_stops_hosts",
    `the pipeline would stop on ${named.join(", ")}${more}: confirm that this is meant`,
  );
}

/** Sets how much Vector logs for a pipeline; hosts restart its process to and from debug and trace. */
export async function setLogLevel(scope: Scope, pipelineId: string, level: string): Promise<void> {
  const known = logLevels.find((candidate) => candidate === level);
  if (known === undefined) {
    throw new DomainError("invalid", "invalid_request", "log_level is none of Vector's levels", {
      violations: [{ field: "log_level", message: `must be one of ${logLevels.join(", ")}` }],
    });
  }
  await transact(scope, async (tx) => {
    const pipeline = await lockPipeline(tx, pipelineId);
    const before = pipeline.logLevel ?? "info";
    if (before === known) return;
    tx.em.assign(pipeline, { logLevel: known === "info" ? null : known });
    audit(tx, {
      action: "pipeline.log_level_changed",
      entityType: "Pipeline",
      entityId: pipeline.id,
      teamId: await teamIdOf(tx, pipeline.environmentId),
      environmentId: pipeline.environmentId,
      diff: { logLevel: { before, after: known } },
    });
    await tx.em.flush();
    await renewDeliveries(tx, pipeline.environmentId);
    await announceDeploy(tx, pipeline.environmentId);
    await announce(tx.em, {
      kind: "seen",
      environmentId: pipeline.environmentId,
      topic: "pipelines",
    });
  });
}

/** A deployed pipeline that other labels of a node start or stop there. */
export interface AffectedPipeline {
  readonly id: string;
  readonly name: string;
  readonly effect: "starts" | "stops";
}

/** What changing a node's labels does there; nothing while it is in maintenance. */
export async function previewLabels(
  em: EntityManager,
  node: {
    readonly environmentId: string;
    readonly maintenanceMode: boolean;
    readonly labels: Readonly<Record<string, string>>;
  },
  labels: Readonly<Record<string, string>>,
): Promise<readonly AffectedPipeline[]> {
  if (node.maintenanceMode) return [];
  const rows = await em.execute<{ id: string; name: string; selector: Selector }[]>(
    `select "id", "name", "nodeSelector" as "selector" from "Pipeline"
     where "environmentId" = ? and "deployedVersion" is not null and "nodeSelector" is not null
     order by lower("name")`,
    [node.environmentId],
  );
  return rows.flatMap(({ selector, ...pipeline }): AffectedPipeline[] => {
    const before = matchesSelector(selector, node.labels);
    const after = matchesSelector(selector, labels);
    return before === after ? [] : [{ ...pipeline, effect: after ? "starts" : "stops" }];
  });
}
