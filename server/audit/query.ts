import type { Scope } from "../scope.ts";
import { transact } from "../db/transaction.ts";
import { DomainError } from "../errors.ts";
import { adminTeams } from "../teams/access.ts";

/** A row of the audit as people see it. */
export interface AuditRow {
  readonly sequence: number;
  readonly id: string;
  readonly createdAt: Date;
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly diff: Record<string, { before?: unknown; after?: unknown }> | null;
  readonly metadata: Record<string, unknown> | null;
  readonly ipAddress: string | null;
  readonly userId: string | null;
  readonly userEmail: string | null;
  readonly userName: string | null;
  readonly teamId: string | null;
  readonly environmentId: string | null;
}

/** Which rows. What is empty does not restrict. */
export interface AuditQuery {
  readonly action: string;
  readonly entityType: string;
  readonly entityId: string;
  readonly user: string;
  readonly teamId: string;
  readonly environmentId: string;
  readonly start: Date | undefined;
  readonly end: Date | undefined;
  readonly search: string;
}

const searchTimeoutMs = 5000;
const queryCanceled = "57014";

/**
 * Rows that the actor may see, after a place in the chain. A search that reads too much of the table ends after
 * seconds, so that nobody can keep the database busy with it (S11).
 */
export async function readAudit(
  scope: Scope,
  query: AuditQuery,
  page: {
    readonly after: number | undefined;
    readonly limit: number;
    readonly order: "newest" | "oldest";
  },
): Promise<AuditRow[]> {
  const { conditions, values } = conditionsOf(query, await adminTeams(scope));
  if (page.after !== undefined) {
    conditions.push(`a."sequence" ${page.order === "newest" ? "<" : ">"} ?`);
    values.push(page.after);
  }
  try {
    return await transact(scope, async (tx) => {
      await tx.em.execute(`set local statement_timeout = ${searchTimeoutMs}`);
      return tx.em.execute<AuditRow[]>(
        `select a."sequence"::float8 as "sequence", a."id", a."createdAt", a."action", a."entityType",
           a."entityId", a."diff", a."metadata", a."ipAddress", a."userId", a."userEmail", a."userName",
           a."teamId", a."environmentId"
         from "AuditLog" a where ${conditions.join(" and ")}
         order by a."sequence" ${page.order === "newest" ? "desc" : "asc"} limit ?`,
        [...values, page.limit],
      );
    });
  } catch (error) {
    if ((error as { code?: string }).code !== queryCanceled) throw error;
    throw new DomainError(
      "exhausted",
      "search_too_wide",
      "the search took too long: choose a shorter time range, or filter by action or person",
      { cause: error },
    );
  }
}

function conditionsOf(
  query: AuditQuery,
  teams: readonly string[] | "all",
): { conditions: string[]; values: unknown[] } {
  const conditions = [`a."sequence" is not null`];
  const values: unknown[] = [];
  const add = (condition: string, ...more: unknown[]): void => {
    conditions.push(condition);
    values.push(...more);
  };
  const like = (text: string): string => `%${escapeLike(text)}%`;
  if (teams !== "all") {
    add(
      teams.length === 0 ? "false" : `a."teamId" in (${teams.map(() => "?").join(", ")})`,
      ...teams,
    );
  }
  if (query.action !== "") add(`a."action" like ?`, `${escapeLike(query.action)}%`);
  if (query.entityType !== "") add(`a."entityType" = ?`, query.entityType);
  if (query.entityId !== "") add(`a."entityId" = ?`, query.entityId);
  if (query.teamId !== "") add(`a."teamId" = ?`, query.teamId);
  if (query.environmentId !== "") add(`a."environmentId" = ?`, query.environmentId);
  if (query.user !== "") {
    add(`(a."userEmail" ilike ? or a."userName" ilike ?)`, like(query.user), like(query.user));
  }
  if (query.start !== undefined) add(`a."createdAt" >= ?`, query.start);
  if (query.end !== undefined) add(`a."createdAt" < ?`, query.end);
  if (query.search !== "") {
    const text = like(query.search);
    add(
      `(a."entityId" ilike ? or a."diff"::text ilike ? or a."metadata"::text ilike ?)`,
      text,
      text,
      text,
    );
  }
  return { conditions, values };
}

function escapeLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, "\\$&");
}
