import type { Scope } from "../scope.ts";

/** An attempt to enroll that was refused, from its row in the audit. */
export interface RefusedEnrollmentView {
  readonly id: string;
  readonly at: Date;
  readonly ipAddress: string;
  readonly hostname: string;
  readonly reason: string;
}

const shownMs = 24 * 3_600_000;

/**
 * Refusals of the last day, newest first, before the given place. Those whose token never was an environment's belong
 * to no team: only super admins see them (X3).
 */
export function listRefusedEnrollments(
  scope: Scope,
  environmentId: string,
  before: readonly [at: number, id: string] | undefined,
  limit: number,
): Promise<RefusedEnrollmentView[]> {
  const superAdmin = scope.actor.kind === "user" && scope.actor.isSuperAdmin;
  const now = scope.clock.now().getTime();
  const place = before === undefined ? "" : `and (a."createdAt", a."id") < (?, ?)`;
  return scope.em.execute<RefusedEnrollmentView[]>(
    `select a."id", a."createdAt" as "at", coalesce(a."ipAddress", '') as "ipAddress",
       coalesce(a."metadata" ->> 'host', '') as "hostname", coalesce(a."metadata" ->> 'reason', '') as "reason"
     from "AuditLog" a
     where a."createdAt" > ? and a."action" = 'node.enrollment_refused'
       and (a."environmentId" = ? or (? and a."environmentId" is null)) ${place}
     order by a."createdAt" desc, a."id" desc limit ?`,
    [
      new Date(now - shownMs),
      environmentId,
      superAdmin,
      ...(before === undefined ? [] : [new Date(before[0]), before[1]]),
      limit,
    ],
  );
}
