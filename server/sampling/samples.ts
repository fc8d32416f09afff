import type { EntityManager } from "@mikro-orm/postgresql";
import { audit } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { StoredField } from "./event-sample.entity.ts";
import { boundedNumber, componentKeysOf, findInspectable } from "./inspectable.ts";

export type SampleStatus = "PENDING" | "COMPLETED" | "ERROR" | "EXPIRED";

/** A sample as people see it. */
export interface SampleView {
  readonly id: string;
  readonly pipelineId: string;
  readonly nodeId: string | null;
  readonly nodeName: string | null;
  readonly componentKeys: readonly string[];
  readonly limit: number;
  readonly status: SampleStatus;
  readonly error: string | null;
  readonly createdAt: Date;
  readonly completedAt: Date | null;
  readonly requestedBy: string | null;
}

/** What was sampled of one component; events are JSON texts. */
export interface ComponentSampleView {
  readonly componentKey: string;
  readonly events: readonly string[];
  readonly schema: readonly StoredField[];
  readonly error: string | null;
}

/** What a host answered about one component. */
export interface SampledComponent {
  readonly componentKey: string;
  readonly events: readonly string[];
  readonly schema: readonly StoredField[];
  readonly error: string | null;
}

const keptPerPipeline = 20;
const keptDays = 7;
/** Beyond the time limit: an apply goes before a sample on the host, and the answer has a way to go. */
const graceMs = 30_000;

/** Asks a host for events: whichever replica has its session sends the order. */
export async function requestSample(
  scope: Scope,
  input: {
    readonly pipelineId: string;
    readonly nodeId: string;
    readonly componentKeys: readonly string[];
    readonly limit: number;
    readonly timeLimitMs: number;
  },
): Promise<SampleView> {
  const componentKeys = componentKeysOf(input.componentKeys);
  const limit = boundedNumber("limit", input.limit, 5, 1, 100);
  const timeLimitMs = boundedNumber("time_limit_ms", input.timeLimitMs, 10_000, 100, 60_000);
  const target = await findInspectable(scope, input.pipelineId, input.nodeId, "SAMPLE");
  const id = newId();
  const now = scope.clock.now();
  await transact(scope, async (tx) => {
    await tx.em.execute(
      `insert into "EventSampleRequest" ("id", "pipelineId", "nodeId", "componentKeys", "limit",
         "timeLimitMs", "status", "requestedById", "createdAt", "expiresAt")
       values (?, ?, ?, ?, ?, ?, 'PENDING', ?, ?, ?)`,
      [
        id,
        target.pipelineId,
        target.nodeId,
        JSON.stringify(componentKeys),
        limit,
        timeLimitMs,
        scope.actor.kind === "user" ? scope.actor.userId : null,
        now,
        new Date(now.getTime() + timeLimitMs + graceMs),
      ],
    );
    await tx.em.execute(
      `delete from "EventSampleRequest" where "pipelineId" = ? and "id" not in
         (select "id" from "EventSampleRequest" where "pipelineId" = ? order by "createdAt" desc limit ?)`,
      [target.pipelineId, target.pipelineId, keptPerPipeline],
    );
    audit(tx, {
      action: "sample.requested",
      entityType: "Pipeline",
      entityId: target.pipelineId,
      teamId: target.teamId,
      environmentId: target.environmentId,
      metadata: { sampleId: id, nodeId: target.nodeId, componentKeys, limit },
    });
    await announce(tx.em, { kind: "sample", nodeId: target.nodeId, requestId: id });
  });
  return readSample(scope, target.pipelineId, id);
}

const view = `select r."id", r."pipelineId", r."nodeId", n."name" as "nodeName", r."componentKeys", r."limit",
    case when r."status" = 'PENDING' and r."expiresAt" < ? then 'EXPIRED' else r."status" end as "status",
    r."error", r."createdAt", r."completedAt", coalesce(u."name", u."email") as "requestedBy"
  from "EventSampleRequest" r left join "VectorNode" n on n."id" = r."nodeId"
  left join "User" u on u."id" = r."requestedById"`;

export async function readSample(
  scope: Scope,
  pipelineId: string,
  id: string,
): Promise<SampleView> {
  const [row] = await scope.em.execute<SampleView[]>(
    `${view} where r."pipelineId" = ? and r."id" = ?`,
    [scope.clock.now(), pipelineId, id],
  );
  if (row === undefined) throw notFound("sample", id);
  return row;
}

/** The samples of a pipeline that are kept, newest first, after the given place. */
export async function listSamples(
  scope: Scope,
  pipelineId: string,
  place: readonly [createdAtMs: number, id: string] | undefined,
  limit: number,
): Promise<readonly SampleView[]> {
  return scope.em.execute<SampleView[]>(
    `${view} where r."pipelineId" = ? and (? or (r."createdAt", r."id") < (?, ?))
     order by r."createdAt" desc, r."id" desc limit ?`,
    [
      scope.clock.now(),
      pipelineId,
      place === undefined,
      new Date(place?.[0] ?? 0),
      place?.[1] ?? "",
      limit,
    ],
  );
}

/** The events come as texts: a number in JSON has more digits than a double holds. */
export async function readComponentSamples(
  scope: Scope,
  requestId: string,
): Promise<readonly ComponentSampleView[]> {
  return scope.em.execute<ComponentSampleView[]>(
    `select "componentKey", array(select e::text from jsonb_array_elements("events") e) as "events",
       "schema", "error" from "EventSample" where "requestId" = ? order by "componentKey"`,
    [requestId],
  );
}

/** An order that a session shall send to its agent. */
export interface SampleOrder {
  readonly requestId: string;
  readonly pipelineId: string;
  readonly environmentId: string;
  readonly componentKeys: readonly string[];
  readonly limit: number;
  readonly timeLimitMs: number;
  readonly expiresAt: Date;
}

/** The order of a request that still waits for its host; undefined when there is nothing to do. */
export async function findSampleOrder(
  em: EntityManager,
  requestId: string,
  nodeId: string,
  now: Date,
): Promise<SampleOrder | undefined> {
  const [row] = await em.execute<SampleOrder[]>(
    `select r."id" as "requestId", r."pipelineId", p."environmentId", r."componentKeys", r."limit",
       r."timeLimitMs", r."expiresAt"
     from "EventSampleRequest" r join "Pipeline" p on p."id" = r."pipelineId"
     where r."id" = ? and r."nodeId" = ? and r."status" = 'PENDING' and r."expiresAt" > ?`,
    [requestId, nodeId, now],
  );
  return row;
}

/** Requests that still wait for a host. */
export async function findWaiting(
  em: EntityManager,
  nodeId: string,
  now: Date,
): Promise<readonly string[]> {
  const rows = await em.execute<{ id: string }[]>(
    `select "id" from "EventSampleRequest"
     where "nodeId" = ? and "status" = 'PENDING' and "expiresAt" > ? order by "createdAt" limit 20`,
    [nodeId, now],
  );
  return rows.map(({ id }) => id);
}

/** Stores what a host answered, once. Answers to what is not waited for any more are left out. */
export async function storeSample(
  em: EntityManager,
  answer: {
    readonly requestId: string;
    readonly nodeId: string;
    readonly error: string | null;
    readonly components: readonly SampledComponent[];
  },
  now: Date,
): Promise<void> {
  const status: SampleStatus = answer.error === null ? "COMPLETED" : "ERROR";
  await em.transactional(async (tx) => {
    const [request] = await tx.execute<{ pipelineId: string; componentKeys: string[] }[]>(
      `update "EventSampleRequest" set "status" = ?, "error" = ?, "completedAt" = ?
       where "id" = ? and "nodeId" = ? and "status" = 'PENDING' returning "pipelineId", "componentKeys"`,
      [status, answer.error, now, answer.requestId, answer.nodeId],
    );
    if (request === undefined) return;
    for (const component of answer.components) {
      if (!request.componentKeys.includes(component.componentKey)) continue;
      await tx.execute(
        `insert into "EventSample" ("id", "requestId", "pipelineId", "componentKey", "events", "schema",
           "error", "sampledAt") values (?, ?, ?, ?, ?::jsonb, ?::jsonb, ?, ?)`,
        [
          newId(),
          answer.requestId,
          request.pipelineId,
          component.componentKey,
          `[${component.events.join(",")}]`,
          JSON.stringify(component.schema),
          component.error,
          now,
        ],
      );
    }
  });
}

/** Says so of requests that no host answered, and removes what was kept for long enough. */
export async function tidySamples(em: EntityManager, now: Date): Promise<void> {
  await em.execute(
    `update "EventSampleRequest" set "status" = 'EXPIRED' where "status" = 'PENDING' and "expiresAt" < ?`,
    [now],
  );
  await em.execute(`delete from "EventSampleRequest" where "createdAt" < ?`, [
    new Date(now.getTime() - keptDays * 86_400_000),
  ]);
}
