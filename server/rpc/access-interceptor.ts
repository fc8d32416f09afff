import { getOption, hasOption, type DescMethod, type Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Debt, Resource, access, open_to, type Access } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { RateLimiter } from "../auth/rate-limiter.ts";
import type { Role as StoredRole } from "../db/enums.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { includesRole, roleIn, teamOf, type ResourceKind } from "../teams/access.ts";
import { authenticate, authenticateAgain, type Principal } from "./authenticate.ts";
import { limitKey } from "./client-address.ts";
import { actorKey, callerKey, recheckKey } from "./call-scope.ts";

/** Services without secrets that carry no rules of ours, because their contracts are not ours. */
export const openServices = new Set([
  "grpc.health.v1.Health",
  "grpc.reflection.v1.ServerReflection",
  "grpc.reflection.v1alpha.ServerReflection",
]);

const resourceKinds: Partial<Record<Resource, ResourceKind>> = {
  [Resource.TEAM]: "team",
  [Resource.ENVIRONMENT]: "environment",
  [Resource.NODE]: "node",
  [Resource.PIPELINE]: "pipeline",
};

const roles: Partial<Record<Role, StoredRole>> = {
  [Role.VIEWER]: "VIEWER",
  [Role.EDITOR]: "EDITOR",
  [Role.ADMIN]: "ADMIN",
};

/** The access rule of a method, or undefined: then nobody may call it. */
export function ruleOf(method: DescMethod): Access["rule"] | undefined {
  return hasOption(method, access) ? getOption(method, access).rule : undefined;
}

/** Calls without a session that one address may make; signing in has a narrower limit of its own. */
const publicBurst = 120;
const publicPerMinute = 240;

/**
 * Authenticates each call and enforces the rule that its contract declares, denying by default. Denials of
 * people who are signed in reach the audit, bounded by `Refusals` (S13).
 */
export function accessInterceptor(deps: ServerDeps): Interceptor {
  const publicCalls = new RateLimiter(deps.clock, publicBurst, publicPerMinute);
  return (next) => async (request) => {
    if (openServices.has(request.service.typeName)) return next(request);
    const { method } = request;
    const { ipAddress } = request.contextValues.get(callerKey);
    if (ruleOf(method)?.case === "public" && !publicCalls.take(limitKey(ipAddress))) {
      throw new DomainError("exhausted", "too_many_calls", "too many calls; try again in a minute");
    }
    const principal = await authenticate(deps, request.header, request.requestMethod, ipAddress);
    const { actor } = principal;
    request.contextValues.set(actorKey, actor);
    const scope: Scope = {
      em: deps.orm.em.fork(),
      clock: deps.clock,
      log: deps.log,
      signal: request.signal,
      actor,
    };
    const rpc = `${request.service.typeName}/${method.name}`;
    const deny = async (error: unknown): Promise<never> => {
      if (actor.kind === "user" && error instanceof DomainError && error.kind !== "invalid") {
        const entry = { action: "access.denied", entityType: "Rpc", entityId: rpc };
        const metadata = { reason: error.reason };
        await deps.refusals.record(scope, `${actor.userId}/${rpc}`, { ...entry, metadata });
      }
      throw error;
    };
    if (!request.stream) {
      await admit(scope, principal, method, request.message).catch(deny);
      return next(request);
    }
    // A server stream has one request message, which must be read before the handler begins.
    const messages = await Array.fromAsync(request.message as AsyncIterable<Message>);
    for (const message of messages) {
      await admit(scope, principal, method, message).catch(deny);
    }
    // A stream outlives the check at its beginning, so it is given the means to repeat it (X2).
    request.contextValues.set(recheckKey, async () => {
      if (actor.kind !== "user") return;
      const again = await authenticateAgain(deps, actor);
      if (again === undefined) throw sessionEnded();
      const now = { ...scope, em: deps.orm.em.fork(), actor: again.actor };
      for (const message of messages) await admit(now, again, method, message);
    });
    const again = (async function* () {
      yield* messages;
    })();
    return next({ ...request, message: again });
  };
}

function signInFirst(): DomainError {
  return new DomainError("unauthenticated", "sign_in_required", "sign in first");
}

function sessionEnded(): DomainError {
  return new DomainError("unauthenticated", "session_ended", "the session has ended");
}

function forbidden(): DomainError {
  return new DomainError("forbidden", "not_allowed", "you are not allowed to do this");
}

/** Throws unless the method's rule lets the caller in. A method without a rule lets nobody in. */
async function admit(
  scope: Scope,
  { debt }: Principal,
  method: DescMethod,
  message: Message,
): Promise<void> {
  const rule = ruleOf(method);
  const { actor } = scope;
  if (rule?.case === "public" && rule.value) return;
  if (actor.kind !== "user") throw signInFirst();
  if (debt !== undefined) refuseUnpaid(debt, method);
  switch (rule?.case) {
    case "signedIn":
      return;
    case "person":
      if (actor.apiToken !== undefined) throw forbidden();
      return;
    case "superAdmin":
      if (!actor.isSuperAdmin) throw forbidden();
      return;
    case "team": {
      const kind = resourceKinds[rule.value.resource];
      const least = roles[rule.value.role];
      if (kind === undefined || least === undefined) throw forbidden();
      await requireRole(scope, message, kind, rule.value.field, least);
      if (rule.value.person && actor.apiToken !== undefined) throw forbidden();
      if (rule.value.also !== undefined) {
        const { resource, role, field } = rule.value.also;
        const other = resourceKinds[resource];
        const leastThere = roles[role];
        if (other === undefined || leastThere === undefined) throw forbidden();
        await requireRole(scope, message, other, field, leastThere);
      }
      return;
    }
    default:
      throw forbidden();
  }
}

const debts = { password: Debt.PASSWORD, second_factor: Debt.SECOND_FACTOR };

/** A temporary password or a missing second factor closes everything but the way to mend it (X2). */
function refuseUnpaid(debt: "password" | "second_factor", method: DescMethod): void {
  if (getOption(method, open_to).includes(debts[debt])) return;
  throw debt === "password"
    ? new DomainError(
        "forbidden",
        "password_change_required",
        "your password is a temporary one: choose your own first",
      )
    : new DomainError(
        "forbidden",
        "second_factor_required",
        "a team of yours requires a second factor: set one up first",
      );
}

/** Whoever is not in the team learns nothing, not even that the resource exists (X3). */
async function requireRole(
  scope: Scope,
  message: Message,
  kind: ResourceKind,
  field: string,
  least: StoredRole,
): Promise<void> {
  const id = readField(message, field);
  const { teamId } = await teamOf(scope, kind, id);
  const role = await roleIn(scope, teamId);
  if (role === undefined) throw notFound(kind, id);
  if (!includesRole(role, least)) throw forbidden();
}

/** The field's value, by its name in the contract. */
function readField(message: Message, field: string): string {
  const value = (message as unknown as Record<string, unknown>)[
    field.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  ];
  if (typeof value !== "string" || value === "" || value.length > 100) {
    throw new DomainError("invalid", "invalid_request", `${field} is required`, {
      violations: [{ field, message: "is required" }],
    });
  }
  return value;
}
