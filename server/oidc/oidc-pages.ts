import type { IncomingMessage, ServerResponse } from "node:http";
import * as openid from "openid-client";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { clientAddress, limitKey, parseNetworks } from "../rpc/client-address.ts";
import { sessionCookie } from "../rpc/session-cookie.ts";
import type { Scope } from "../scope.ts";
import { groupsOf, rolesOf } from "./group-roles.ts";
import { ProviderClient } from "./provider-client.ts";
import { signInByProvider, type ProviderIdentity } from "./provider-sign-in.ts";
import type { ProviderSettings } from "./settings.ts";

const cookieName = "vectorflow_oidc";
const cookieContext = "oidc sign-in";
const lifetimeMs = 10 * 60_000;

/** What is remembered between leaving for the provider and coming back, encrypted, in the browser itself. */
interface Journey {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  readonly until: number;
}

/** The two addresses of signing in through a provider. Everything that fails leads to the login page. */
export class OidcPages {
  readonly #deps: ServerDeps;
  readonly #provider: ProviderClient;
  readonly #proxies: ReturnType<typeof parseNetworks>;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
    this.#provider = new ProviderClient(deps);
    this.#proxies = parseNetworks(deps.config.trustedProxies);
  }

  /** Answers if the path is one of ours. */
  async serve(path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    if (path !== "/auth/oidc/start" && path !== "/auth/oidc/callback") return false;
    const scope = this.#scope(request);
    try {
      const address = scope.actor.kind === "anonymous" ? scope.actor.ipAddress : undefined;
      if (!this.#deps.signIns.take(`oidc:${limitKey(address)}`)) {
        throw new DomainError("exhausted", "too_many_sign_ins", "too many attempts");
      }
      if (path === "/auth/oidc/start") await this.#start(request, response);
      else await this.#finish(scope, request, response);
    } catch (error) {
      await this.#fail(scope, error, response);
    }
    return true;
  }

  async #start(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = await this.#openProvider();
    const journey: Journey = {
      state: openid.randomState(),
      nonce: openid.randomNonce(),
      verifier: openid.randomPKCECodeVerifier(),
      returnTo: queryOf(request).get("return") ?? "/",
      until: this.#deps.clock.now().getTime() + lifetimeMs,
    };
    const target = openid.buildAuthorizationUrl(provider.client, {
      redirect_uri: provider.redirectUri,
      scope: "openid email profile groups",
      state: journey.state,
      nonce: journey.nonce,
      code_challenge: await openid.calculatePKCECodeChallenge(journey.verifier),
      code_challenge_method: "S256",
    });
    const sealed = this.#deps.sealer.seal(cookieContext, JSON.stringify(journey));
    redirect(response, target.href, [this.#cookie(sealed, lifetimeMs / 1000)]);
  }

  async #finish(scope: Scope, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const provider = await this.#openProvider();
    const journey = this.#journeyOf(request);
    const url = new URL(provider.redirectUri);
    url.search = queryOf(request).toString();
    const tokens = await openid.authorizationCodeGrant(provider.client, url, {
      expectedState: journey.state,
      expectedNonce: journey.nonce,
      pkceCodeVerifier: journey.verifier,
      idTokenExpected: true,
    });
    const claims = tokens.claims();
    if (claims === undefined) throw new Error("the provider gave no identity");
    const info = await openid
      .fetchUserInfo(provider.client, tokens.access_token, claims.sub)
      .catch(() => ({}));
    const facts: Record<string, unknown> = { ...info, ...claims };
    const lifetime = tokens.expiresIn();
    const identity: ProviderIdentity = {
      issuer: claims.iss,
      subject: claims.sub,
      email: emailOf(facts),
      name: typeof facts["name"] === "string" ? facts["name"] : undefined,
      tokens: {
        accessToken: tokens.access_token,
        refreshToken: tokens.refresh_token,
        idToken: tokens.id_token,
        expiresAt:
          lifetime === undefined
            ? undefined
            : new Date(this.#deps.clock.now().getTime() + lifetime * 1000),
      },
    };
    const agent = request.headers["user-agent"];
    const roles = rolesFor(provider.settings, facts);
    const { token } = await signInByProvider(scope, this.#deps.sealer, identity, roles, agent);
    const cookies = [sessionCookie(token, this.#secure), this.#cookie("", 0)];
    redirect(response, safePath(journey.returnTo), cookies);
  }

  async #openProvider() {
    const provider = await this.#provider.open();
    if (provider === undefined) {
      throw new DomainError("precondition", "provider_off", "signing in through a provider is off");
    }
    return provider;
  }

  #journeyOf(request: IncomingMessage): Journey {
    const sealed = new RegExp(`(?:^|; ?)${cookieName}=([^;]+)`).exec(
      request.headers.cookie ?? "",
    )?.[1];
    const lost = new DomainError(
      "unauthenticated",
      "sign_in_lost",
      "start again from the login page",
    );
    if (sealed === undefined) throw lost;
    let journey: Journey;
    try {
      journey = JSON.parse(this.#deps.sealer.open(cookieContext, sealed).toString()) as Journey;
    } catch {
      throw lost;
    }
    if (journey.until < this.#deps.clock.now().getTime()) throw lost;
    return journey;
  }

  /** The page is told a reason of a known few; what the provider said stays in the log and the audit. */
  async #fail(scope: Scope, error: unknown, response: ServerResponse): Promise<void> {
    const reason = error instanceof DomainError ? error.reason : "provider_failed";
    this.#deps.log.info("signing in through the provider failed", { reason, error });
    const address = scope.actor.kind === "anonymous" ? scope.actor.ipAddress : undefined;
    await this.#deps.refusals.record(scope, `oidc/${limitKey(address)}/${reason}`, {
      action: "auth.sign_in_failed",
      entityType: "User",
      entityId: "",
      metadata: { reason, method: "oidc" },
    });
    // Locked or otherwise refused accounts look alike (X1).
    const shown = reason === "locked" ? "provider_failed" : reason;
    redirect(response, `/login?error=${encodeURIComponent(shown)}`, [this.#cookie("", 0)]);
  }

  get #secure(): boolean {
    return this.#deps.addresses().web.startsWith("https:");
  }

  /** Lax, because the way back from the provider is a navigation from another site. */
  #cookie(value: string, maxAgeSeconds: number): string {
    const flags = `Path=/auth/oidc; HttpOnly; SameSite=Lax${this.#secure ? "; Secure" : ""}`;
    return `${cookieName}=${value}; Max-Age=${maxAgeSeconds}; ${flags}`;
  }

  #scope(request: IncomingMessage): Scope {
    const forwarded = request.headers["x-forwarded-for"]?.toString();
    const ipAddress = clientAddress(request.socket.remoteAddress, forwarded, this.#proxies);
    return {
      em: this.#deps.orm.em.fork(),
      actor: { kind: "anonymous", ipAddress },
      clock: this.#deps.clock,
      log: this.#deps.log,
      signal: this.#deps.signal,
    };
  }
}

function emailOf(facts: Readonly<Record<string, unknown>>): string | undefined {
  const { email, email_verified: verified } = facts;
  if (typeof email !== "string" || verified === false || !/^[^\s@]+@[^\s@]+$/.test(email)) {
    return undefined;
  }
  return email.toLowerCase();
}

function rolesFor(settings: ProviderSettings, facts: Readonly<Record<string, unknown>>) {
  const { defaultTeamId: teamId, defaultRole: role, mappings, groupsClaim } = settings;
  const fallback = teamId === "" ? undefined : { teamId, role };
  return rolesOf(groupsOf(facts[groupsClaim]), mappings, fallback);
}

function queryOf(request: IncomingMessage): URLSearchParams {
  return new URL(request.url ?? "/", "http://localhost").searchParams;
}

/** Only a path of this site, whatever the address of the start said. */
function safePath(path: string): string {
  return /^\/(?![/\\])[\x21-\x7e]*$/.test(path) ? path : "/";
}

function redirect(response: ServerResponse, location: string, cookies: string[]): void {
  response.writeHead(302, { location, "set-cookie": cookies, "cache-control": "no-store" });
  response.end();
}
