import { readFile } from "node:fs/promises";
import { fullJitter } from "#common/backoff.ts";
import type { Clock } from "#common/clock.ts";
import {
  BackendFailure,
  valueOfKey,
  type BackendClient,
  type ReadOutcome,
  type SecretReference,
} from "./backend.ts";
import { callOut, openAgents, type OutboundAgents, type OutboundAnswer } from "./outbound.ts";
import type { VaultSettings } from "./settings.ts";

const attempts = 3;
const pauses = { minMs: 200, maxMs: 2000 };
const concurrentReads = 8;

/** A token for Vault, and when it ends; undefined: never. */
interface Session {
  readonly token: string;
  readonly renewable: boolean;
  readonly ttlMs: number;
  readonly endsAt: number | undefined;
}

interface VaultOptions {
  readonly settings: VaultSettings;
  /** Token, or the secret id of an AppRole. */
  readonly credential: string;
  readonly networks: readonly string[];
  readonly kubernetesTokenPath: string;
  readonly clock: Clock;
  readonly random: () => number;
}

/**
 * Reads the key-value engine, version 2, of HashiCorp Vault. A token that a person gave is renewed and never
 * revoked; one from signing in with a role is renewed, replaced when it ends, and revoked at the end.
 */
export class VaultClient implements BackendClient {
  readonly #options: VaultOptions;
  readonly #agents: OutboundAgents;
  #session: Session | undefined;

  constructor(options: VaultOptions) {
    this.#options = options;
    this.#agents = openAgents(options.networks, options.settings.caPem);
  }

  async read(references: readonly SecretReference[], signal: AbortSignal): Promise<ReadOutcome[]> {
    await this.#open(signal);
    // Several keys of one path are one call.
    const placeOf = ({ path, version }: SecretReference): string => `${path}\0${version}`;
    const places = new Map(references.map((reference) => [placeOf(reference), reference]));
    const documents = new Map<string, Document>();
    for (const some of chunksOf([...places], concurrentReads)) {
      const read = await Promise.all(
        some.map(([, { path, version }]) => this.#readDocument(path, version, signal)),
      );
      some.forEach(([place], index) => {
        const document = read[index];
        if (document !== undefined) documents.set(place, document);
      });
    }
    return references.map((reference) => {
      const document = documents.get(placeOf(reference));
      if (document === undefined) throw new Error("a reference was not read");
      return document.kind === "values" ? valueOfKey(document.values, reference.key) : document;
    });
  }

  async check(signal: AbortSignal): Promise<string> {
    const session = await this.#open(signal);
    if (session.endsAt === undefined) return "Vault accepts the sign-in, and it does not end";
    const left = spanText(session.endsAt - this.#now());
    const renewal = session.renewable ? "it is renewed before that" : "it cannot be renewed";
    return `Vault accepts the sign-in; it ends in ${left}, and ${renewal}`;
  }

  /** Renews what has less than half of its time left. */
  async keepAlive(signal: AbortSignal): Promise<void> {
    const session = this.#session;
    if (session?.endsAt === undefined || !session.renewable) return;
    if (session.endsAt - this.#now() > session.ttlMs / 2) return;
    const answer = await this.#send("POST", "auth/token/renew-self", session.token, {}, signal);
    if (answer.status === 200) {
      const renewed = sessionOf(bodyOf(answer)["auth"], this.#now());
      if (renewed !== undefined) {
        // A renewal that does not reach beyond the old end has met the token's largest lifetime.
        const grew = (renewed.endsAt ?? 0) > session.endsAt;
        this.#session = { ...renewed, token: session.token, renewable: renewed.renewable && grew };
      }
    } else if (answer.status === 403) this.#session = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    if (session !== undefined && this.#options.settings.auth !== "token") {
      // It ends by itself when Vault is away.
      await this.#send(
        "POST",
        "auth/token/revoke-self",
        session.token,
        {},
        AbortSignal.timeout(2000),
      ).catch(() => {});
    }
    this.#agents[Symbol.dispose]();
  }

  #now(): number {
    return this.#options.clock.now().getTime();
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const session = this.#session;
    if (session !== undefined && (session.endsAt ?? Infinity) > this.#now() + 5000) return session;
    this.#session = await this.#signIn(signal);
    return this.#session;
  }

  async #signIn(signal: AbortSignal): Promise<Session> {
    const { settings, credential } = this.#options;
    if (settings.auth === "token") {
      const answer = await this.#send("GET", "auth/token/lookup-self", credential, null, signal);
      refuseFailure(answer, "Vault does not accept the token: it is wrong, or it has ended");
      const session = sessionOf(bodyOf(answer)["data"], this.#now(), credential);
      if (session === undefined) throw notVault();
      return session;
    }
    const login =
      settings.auth === "approle"
        ? { role_id: settings.role, secret_id: credential }
        : { role: settings.role, jwt: await this.#serviceAccountToken() };
    const path = `auth/${settings.authMount}/login`;
    const answer = await this.#send("POST", path, undefined, login, signal);
    if (answer.status === 404) {
      throw new BackendFailure("sign_in", `Vault has no sign-in method at ${settings.authMount}`);
    }
    refuseFailure(answer, "Vault does not accept the role and its credential");
    const session = sessionOf(bodyOf(answer)["auth"], this.#now());
    if (session === undefined) throw notVault();
    return session;
  }

  async #serviceAccountToken(): Promise<string> {
    try {
      return (await readFile(this.#options.kubernetesTokenPath, "utf8")).trim();
    } catch (error) {
      throw new BackendFailure("settings", "this server has no service account token", {
        cause: error,
      });
    }
  }

  async #readDocument(path: string, version: string, signal: AbortSignal): Promise<Document> {
    const { mount } = this.#options.settings;
    const place = `${mount}/data/${path}`;
    const query = version === "" ? "" : `version=${version}`;
    const ask = async () =>
      this.#send("GET", place, (await this.#open(signal)).token, null, signal, query);
    let answer = await ask();
    if (answer.status === 403) {
      // A role's token may have been revoked, and a person's may have ended since.
      this.#session = undefined;
      answer = await ask();
    }
    if (answer.status === 403) {
      return failed("permission", `the sign-in may not read ${path}`);
    }
    if (answer.status === 404) {
      const deleted =
        /"deletion_time":"[^"]/.test(answer.body) || answer.body.includes("destroyed");
      const what = version === "" ? path : `version ${version} of ${path}`;
      return failed("path", deleted ? `${what} was deleted` : `there is no ${what} in ${mount}`);
    }
    if (answer.status === 400) return failed("path", `Vault does not take the path ${path}`);
    refuseFailure(answer, `the sign-in may not read ${path}`);
    const { data } = bodyOf(answer);
    const values = isRecord(data) ? data["data"] : undefined;
    if (!isRecord(values)) {
      return failed("answer", `${mount} is no key-value engine of version 2`);
    }
    return { kind: "values", values };
  }

  /** One call, again while Vault is overloaded or starting. */
  async #send(
    method: string,
    path: string,
    token: string | undefined,
    body: object | null,
    signal: AbortSignal,
    query = "",
  ): Promise<OutboundAnswer> {
    const { settings, clock, random } = this.#options;
    const segments = path.split("/").map(encodeURIComponent).join("/");
    const url = new URL(`/v1/${segments}`, settings.address);
    url.search = query;
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await callOut(
        this.#agents,
        url,
        {
          method,
          headers: {
            "x-vault-request": "true",
            ...(token !== undefined && { "x-vault-token": token }),
            ...(settings.namespace !== "" && { "x-vault-namespace": settings.namespace }),
            ...(body !== null && { "content-type": "application/json" }),
          },
          ...(body !== null && { body: JSON.stringify(body) }),
        },
        signal,
      ).catch((error: unknown) => {
        if (error instanceof BackendFailure && error.kind === "address") return error;
        throw error;
      });
      const again = outcome instanceof BackendFailure || isTransient(outcome.status);
      if (!again || attempt === attempts) {
        if (outcome instanceof BackendFailure) throw outcome;
        return outcome;
      }
      const asked = outcome instanceof BackendFailure ? 0 : retryAfterMs(outcome);
      const pause = Math.max(asked, fullJitter(attempt - 1, pauses, random()));
      await clock.sleep(pause, signal);
    }
  }
}

type Document =
  | { readonly kind: "values"; readonly values: Readonly<Record<string, unknown>> }
  | (ReadOutcome & { readonly kind: "failed" });

function failed(kind: BackendFailure["kind"], message: string): Document & { kind: "failed" } {
  return { kind: "failed", failure: new BackendFailure(kind, message) };
}

/** 412: this node of a cluster is not as far as the one before. */
function isTransient(status: number): boolean {
  return status === 429 || status === 412 || status >= 500;
}

function retryAfterMs({ headers }: OutboundAnswer): number {
  const seconds = Number(headers["retry-after"]);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 5) * 1000 : 0;
}

function refuseFailure(answer: OutboundAnswer, denied: string): void {
  const { status, body } = answer;
  if (status === 200) return;
  if (status === 400 || status === 401 || status === 403)
    throw new BackendFailure("sign_in", denied);
  if (status === 429) throw new BackendFailure("unavailable", "Vault limits how often it is asked");
  if (status === 503 && /sealed/i.test(body)) {
    throw new BackendFailure("unavailable", "Vault is sealed");
  }
  if (status >= 500 || status === 412) {
    throw new BackendFailure("unavailable", "Vault is not able to answer");
  }
  if (status >= 300 && status < 400) {
    throw new BackendFailure(
      "address",
      "Vault sends calls on to another address: give the one of its active node, or of its load balancer",
    );
  }
  throw notVault();
}

function notVault(): BackendFailure {
  return new BackendFailure("answer", "what answers at this address is not Vault");
}

function* chunksOf<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let index = 0; index < items.length; index += size) yield items.slice(index, index + size);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function bodyOf({ body }: OutboundAnswer): Readonly<Record<string, unknown>> {
  try {
    const parsed: unknown = JSON.parse(body);
    if (isRecord(parsed)) return parsed;
  } catch {
    // Said below.
  }
  throw notVault();
}

/** The `auth` of a sign-in or renewal, or the `data` of a look at a token that is known. */
function sessionOf(value: unknown, now: number, known?: string): Session | undefined {
  if (!isRecord(value)) return undefined;
  const token = known ?? value["client_token"];
  const seconds = Number(value["lease_duration"] ?? value["ttl"]);
  if (typeof token !== "string" || token === "" || !Number.isFinite(seconds)) return undefined;
  return {
    token,
    renewable: value["renewable"] === true,
    ttlMs: Math.max(seconds, Number(value["creation_ttl"] ?? 0)) * 1000,
    endsAt: seconds === 0 ? undefined : now + seconds * 1000,
  };
}

function spanText(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 120) return `${minutes} min`;
  return minutes < 2880 ? `${Math.round(minutes / 60)} h` : `${Math.round(minutes / 1440)} days`;
}
