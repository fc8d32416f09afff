import { createHash } from "node:crypto";
import type { Clock } from "#common/clock.ts";
import { FieldViolations } from "../../errors.ts";
import { AwsClient } from "./aws.ts";
import { BackendFailure, type BackendClient } from "./backend.ts";
import { ExecClient } from "./exec.ts";
import type { SecretBackendConfig } from "./server-limits.ts";
import { checkSettings, type ExternalSettings } from "./settings.ts";
import { VaultClient } from "./vault.ts";

/** Settings with the credential that goes with them. */
export interface OpenSettings {
  readonly settings: ExternalSettings;
  readonly credential: string;
}

function refuseUnusable(settings: ExternalSettings, limits: SecretBackendConfig): void {
  const violations = new FieldViolations();
  checkSettings(settings, limits, violations);
  try {
    violations.throwIfAny();
  } catch (cause) {
    const message = "its settings are not usable, or not allowed on this server any more";
    throw new BackendFailure("settings", message, { cause });
  }
}

interface Shared {
  readonly client: BackendClient;
  readonly key: string;
  usedAt: number;
  /** Calls that are under way: a client is closed when the last has ended. */
  users: number;
  retired: boolean;
}

const idleMs = 3_600_000;

/**
 * Open backends, one for each environment that uses one, so that a sign-in serves many reads. Bounded by the number of
 * environments; what nobody used for an hour is closed, and so is what has other settings now.
 */
export class BackendClients implements AsyncDisposable {
  readonly #limits: SecretBackendConfig;
  readonly #clock: Clock;
  readonly #shared = new Map<string, Shared>();

  constructor(limits: SecretBackendConfig, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /**
   * A client of the caller's own. Throws a BackendFailure when this server does not allow it, which may be since its
   * operator changed what it allows.
   */
  open({ settings, credential }: OpenSettings): BackendClient {
    refuseUnusable(settings, this.#limits);
    const { networks, commands, kubernetesTokenPath } = this.#limits;
    switch (settings.kind) {
      case "VAULT":
        return new VaultClient({
          settings,
          credential,
          networks,
          kubernetesTokenPath,
          clock: this.#clock,
          random: Math.random,
        });
      case "AWS_SM":
        return new AwsClient(settings, credential, networks);
      case "EXEC": {
        const argv = Object.hasOwn(commands, settings.command)
          ? commands[settings.command]
          : undefined;
        if (argv === undefined) {
          throw new BackendFailure("settings", "this server does not allow the command any more");
        }
        return new ExecClient(settings, argv);
      }
    }
  }

  /** Runs `work` with the environment's client. */
  async use<T>(
    environmentId: string,
    open: OpenSettings,
    work: (client: BackendClient) => Promise<T>,
  ): Promise<T> {
    const key = createHash("sha256")
      .update(JSON.stringify([open.settings, open.credential]))
      .digest("hex");
    let shared = this.#shared.get(environmentId);
    if (shared !== undefined && shared.key !== key) {
      this.#retire(environmentId, shared);
      shared = undefined;
    }
    shared ??= { client: this.open(open), key, usedAt: 0, users: 0, retired: false };
    this.#shared.set(environmentId, shared);
    shared.users += 1;
    try {
      return await work(shared.client);
    } finally {
      shared.users -= 1;
      shared.usedAt = this.#clock.now().getTime();
      if (shared.retired && shared.users === 0) await shared.client[Symbol.asyncDispose]();
    }
  }

  /** Renews sign-ins that would end, and closes what is idle. Never throws. */
  async keepAlive(signal: AbortSignal): Promise<void> {
    const now = this.#clock.now().getTime();
    await Promise.allSettled(
      [...this.#shared].map(async ([environmentId, shared]) => {
        if (shared.users === 0 && now - shared.usedAt > idleMs) this.#retire(environmentId, shared);
        else await shared.client.keepAlive(signal);
      }),
    );
  }

  #retire(environmentId: string, shared: Shared): void {
    this.#shared.delete(environmentId);
    shared.retired = true;
    // A close is bounded in time and never fails.
    if (shared.users === 0) void shared.client[Symbol.asyncDispose]();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const all = [...this.#shared.values()];
    this.#shared.clear();
    await Promise.allSettled(all.map(({ client }) => client[Symbol.asyncDispose]()));
  }
}
