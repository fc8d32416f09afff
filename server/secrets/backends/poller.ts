import type { ServerDeps } from "../../deps.ts";
import { fullJitter } from "#common/backoff.ts";
import type { Scope } from "../../scope.ts";
import { refreshSecrets, type RefreshDeps } from "./refresh.ts";
import { defaultRefreshSeconds } from "./settings.ts";

const retryPauses = { minMs: 15_000, maxMs: 300_000 };
const concurrent = 4;

interface Turn {
  /** Of the settings: others are read at once. */
  readonly settings: string;
  readonly at: number;
  readonly failures: number;
}

/**
 * Reads the secrets of environments from their backends again and again, on the replica that leads. Each environment
 * has its own interval, with jitter, so that a hundred do not ask at once; what fails is tried sooner, with pauses
 * that grow. Its memory is a turn for each environment.
 */
export class SecretPoller {
  readonly #deps: RefreshDeps;
  readonly #random: () => number;
  #turns = new Map<string, Turn>();

  constructor(
    deps: RefreshDeps & Pick<ServerDeps, "backends">,
    random: () => number = Math.random,
  ) {
    this.#deps = deps;
    this.#random = random;
  }

  /** Reads what is due. Returns the ids of the environments that were read. */
  async tick(newScope: () => Scope): Promise<readonly string[]> {
    const scope = newScope();
    const rows = await scope.em.execute<{ id: string; seconds: number | null; settings: string }[]>(
      `select "id", ("secretBackendConfig" ->> 'refreshSeconds')::int as "seconds",
         md5(concat("secretBackend", "secretBackendConfig", "secretBackendCredential")) as "settings"
       from "Environment" where "secretBackend" <> 'BUILTIN'`,
    );
    // Environments that are gone take their turns with them.
    this.#turns = new Map(
      rows.flatMap(({ id }) => {
        const turn = this.#turns.get(id);
        return turn === undefined ? [] : [[id, turn] as const];
      }),
    );
    const now = scope.clock.now().getTime();
    const due = rows.filter(({ id, settings }) => {
      const turn = this.#turns.get(id);
      return turn === undefined || turn.settings !== settings || turn.at <= now;
    });
    const waiting = [...due];
    const worker = async (): Promise<void> => {
      for (let row = waiting.shift(); row !== undefined; row = waiting.shift()) {
        const own = newScope();
        const failed = await this.#read(own, row.id);
        const before = this.#turns.get(row.id)?.failures ?? 0;
        const failures = failed ? before + 1 : 0;
        const intervalMs = (row.seconds ?? defaultRefreshSeconds) * 1000;
        const pauseMs = failed
          ? Math.min(intervalMs, fullJitter(failures, retryPauses, this.#random()))
          : intervalMs * (0.9 + 0.2 * this.#random());
        const at = own.clock.now().getTime() + pauseMs;
        this.#turns.set(row.id, { settings: row.settings, at, failures });
      }
    };
    await Promise.all(Array.from({ length: concurrent }, worker));
    await this.#deps.backends.keepAlive(scope.signal);
    return due.map(({ id }) => id);
  }

  async #read(scope: Scope, environmentId: string): Promise<boolean> {
    try {
      const { failure, failedCount } = await refreshSecrets(scope, this.#deps, environmentId, {
        asked: false,
      });
      return failure !== undefined || failedCount > 0;
    } catch (error) {
      scope.signal.throwIfAborted();
      scope.log.warn("the secrets of an environment were not read", { environmentId, error });
      return true;
    }
  }
}
