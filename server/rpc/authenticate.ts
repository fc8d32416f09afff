import { findApiToken, type LiveApiToken } from "../auth/api-tokens.ts";
import { findSession, findSessionById, type Debt, type LiveSession } from "../auth/sessions.ts";
import type { ServerDeps } from "../deps.ts";
import type { Actor } from "../scope.ts";
import { readSessionCookie, refuseForeignOrigin } from "./session-cookie.ts";

/** Who calls, and what they have to do before anything else is answered. */
export interface Principal {
  readonly actor: Actor;
  readonly debt: Debt | undefined;
}

/**
 * Finds out who calls, by a bearer token or by the cookie; a token that is not known, or no longer, makes the call
 * anonymous. Throws `forbidden` when another site made a browser send the cookie.
 */
export async function authenticate(
  deps: ServerDeps,
  header: Headers,
  httpMethod: string,
  ipAddress: string | undefined,
): Promise<Principal> {
  const bearer = /^Bearer (\S+)$/.exec(header.get("authorization") ?? "")?.[1];
  const token = bearer ?? readSessionCookie(header);
  // Also without a cookie: another site must not sign a browser in as somebody else.
  if (bearer === undefined && header.has("sec-fetch-site")) {
    refuseForeignOrigin(header, httpMethod, deps.addresses().web);
  }
  if (token === undefined) return anonymous(ipAddress);
  const em = deps.orm.em.fork();
  if (bearer?.startsWith("vfa_") === true) {
    const found = await findApiToken(em, { token: bearer }, deps.clock.now());
    return found === undefined ? anonymous(ipAddress) : programOf(found, ipAddress);
  }
  const session = await findSession(em, token, deps.clock.now());
  if (session === undefined) return anonymous(ipAddress);
  if (bearer === undefined) refuseForeignOrigin(header, httpMethod, deps.addresses().web);
  return principalOf(session, ipAddress);
}

/** The same caller as things are now; undefined when the session has ended. For streams. */
export async function authenticateAgain(
  deps: ServerDeps,
  actor: Extract<Actor, { kind: "user" }>,
): Promise<Principal | undefined> {
  const em = deps.orm.em.fork();
  if (actor.apiToken !== undefined) {
    const found = await findApiToken(em, { id: actor.apiToken.id }, deps.clock.now());
    return found === undefined ? undefined : programOf(found, actor.ipAddress);
  }
  const session = await findSessionById(em, actor.sessionId, deps.clock.now());
  return session === undefined ? undefined : principalOf(session, actor.ipAddress);
}

function anonymous(ipAddress: string | undefined): Principal {
  return { actor: { kind: "anonymous", ipAddress }, debt: undefined };
}

function programOf(token: LiveApiToken, ipAddress: string | undefined): Principal {
  const { id, name, teamId, role } = token;
  return {
    actor: {
      kind: "user",
      userId: token.userId,
      sessionId: "",
      email: token.email,
      name: token.userName ?? undefined,
      isSuperAdmin: false,
      apiToken: { id, name, teamId, role },
      ipAddress,
    },
    debt: token.debt,
  };
}

function principalOf(session: LiveSession, ipAddress: string | undefined): Principal {
  const { userId, sessionId, email, name, isSuperAdmin, debt } = session;
  return {
    actor: {
      kind: "user",
      userId,
      sessionId,
      email,
      name: name ?? undefined,
      isSuperAdmin,
      ipAddress,
    },
    debt,
  };
}
