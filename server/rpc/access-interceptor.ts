import { getOption, hasOption, type DescMethod, type Message } from "@bufbuild/protobuf";
import type { Interceptor } from "@connectrpc/connect";
import { Resource, access, type Access } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { audit } from "../audit/audit.ts";
import { RateLimiter } from "../auth/rate-limiter.ts";
import { findSession } from "../auth/sessions.ts";
import type { Role as StoredRole } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, notFound } from "../errors.ts";
import type { Actor, Scope } from "../scope.ts";
import { includesRole, roleIn, teamOf, type ResourceKind } from "../teams/access.ts";
import { actorKey, callerKey } from "./call-scope.ts";
import { readSessionCookie, refuseForeignOrigin } from "./session-cookie.ts";

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

/**
 * Authenticates each call and enforces the rule that its contract declares, denying by default. Denials of
 * people who are signed in reach the audit, at most a few a minute each (S13).
 */
export function accessInterceptor(deps: ServerDeps): Interceptor {
  const denials = new RateLimiter(deps.clock, 5, 5);
  return (next) => async (request) => {
    const caller = request.contextValues.get(callerKey);
    const scope: Scope = {
      em: deps.orm.em.fork(),
      clock: deps.clock,
      log: deps.log,
      signal: request.signal,
      actor: {
        kind: "anonymous",
        ipAddress: caller.ipAddress,
      },
    };
    if (openServices.has(request.service.typeName)) return next(request);
    const actor = await authenticate(deps, scope, request.header, request.requestMethod);
    request.contextValues.set(actorKey, actor);
    const acting = { ...scope, actor };
    const deny = async (error: DomainError): Promise<never> => {
      if (actor.kind === "user" && denials.take(actor.userId)) {
        await transact(acting, async (tx) => {
          const rpc = `${request.service.typeName}/${request.method.name}`;
          audit(tx, { action: "access.denied", entityType: "Rpc", entityId: rpc });
        });
      }
      throw error;
    };
    const rule = ruleOf(request.method);
    if (rule?.case === "public" && rule.value) return next(request);
    if (actor.kind !== "user") throw signInFirst();
    switch (rule?.case) {
      case "signedIn":
        return next(request);
      case "superAdmin":
        return actor.isSuperAdmin ? next(request) : deny(forbidden());
      case "team": {
        const kind = resourceKinds[rule.value.resource];
        const least = roles[rule.value.role];
        if (kind === undefined || least === undefined) return deny(forbidden());
        if (!request.stream) {
          await requireRole(acting, request.message, kind, rule.value.field, least).catch(deny);
          return next(request);
        }
        // A server stream has one request message, which must be read before the handler begins.
        const messages = await Array.fromAsync(request.message as AsyncIterable<Message>);
        for (const message of messages) {
          await requireRole(acting, message, kind, rule.value.field, least).catch(deny);
        }
        const again = (async function* () {
          yield* messages;
        })();
        return next({ ...request, message: again });
      }
      default:
        return deny(forbidden());
    }
  };
}

function signInFirst(): DomainError {
  return new DomainError("unauthenticated", "sign_in_required", "sign in first");
}

function forbidden(): DomainError {
  return new DomainError("forbidden", "not_allowed", "you are not allowed to do this");
}

async function authenticate(
  deps: ServerDeps,
  scope: Scope,
  header: Headers,
  httpMethod: string,
): Promise<Actor> {
  const ipAddress = scope.actor.kind === "system" ? undefined : scope.actor.ipAddress;
  const bearer = /^Bearer (\S+)$/.exec(header.get("authorization") ?? "")?.[1];
  const cookie = bearer === undefined ? readSessionCookie(header) : undefined;
  const token = bearer ?? cookie;
  if (token === undefined) return { kind: "anonymous", ipAddress };
  const found = await findSession(scope.em, token, deps.clock.now());
  if (found === undefined) return { kind: "anonymous", ipAddress };
  if (cookie !== undefined) refuseForeignOrigin(header, httpMethod, deps.addresses().web);
  const { session, user } = found;
  return {
    kind: "user",
    userId: user.id,
    sessionId: session.id,
    email: user.email,
    name: user.name ?? undefined,
    isSuperAdmin: user.isSuperAdmin,
    ipAddress,
  };
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
