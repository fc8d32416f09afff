import { randomBytes } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Code, ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { systemClock, type Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import { listenAgents } from "./agent-listener.ts";
import { Refusals } from "./audit/refusals.ts";
import { AccessWatch } from "./auth/access-watch.ts";
import { Passwords } from "./auth/passwords.ts";
import { RateLimiter } from "./auth/rate-limiter.ts";
import { createSetupToken, readSettings } from "./auth/setup.ts";
import { Background } from "./background.ts";
import type { ServerConfig } from "./config.ts";
import { KeyedDigest } from "./crypto/keyed-digest.ts";
import { Sealer } from "./crypto/sealer.ts";
import { ensureDatabase } from "./db/database.ts";
import { startEmbeddedPostgres } from "./db/embedded-postgres.ts";
import { migrate } from "./db/migrate.ts";
import { openOrm } from "./db/orm.ts";
import type { ServerDeps } from "./deps.ts";
import { AgentHub } from "./fleet/agent-hub.ts";
import { readDesiredState } from "./fleet/desired-state.ts";
import { ServerMetrics } from "./health/server-metrics.ts";
import { listenHttp } from "./http-listener.ts";
import { runJobs } from "./jobs.ts";
import { LiveViews } from "./live/live-views.ts";
import { Ingest } from "./metrics/ingest.ts";
import { PipelineCompiler } from "./configuration/compiler.ts";
import { BackendClients } from "./secrets/backends/clients.ts";
import { HostChecks } from "./host-checks/host-checks.ts";

/** A running server. Disposing it ends streams with `unavailable` and closes everything, in under 5 s. */
export interface RunningServer extends AsyncDisposable {
  readonly webUrl: string;
  readonly agentUrl: string;
  /** What it listens on, as `host:port` with the ports that were found for port 0. */
  readonly listening: { readonly http: string; readonly agents: string };
  /** The port that the web listener has, whatever the public address is. */
  readonly webPort: number;
  /** Where to do the first run, or undefined once it is done. */
  readonly setupUrl: string | undefined;
  readonly deps: ServerDeps;
  /** Rejects when something the server cannot do without has ended. */
  readonly failed: Promise<never>;
}

const webRoot = join(import.meta.dirname, "../web/dist");

/** The database of a configuration: the embedded one unless an address is given. */
export async function openDatabase(
  config: ServerConfig,
  log: Logger,
  signal: AbortSignal,
): Promise<AsyncDisposable & { readonly url: string; readonly ended: Promise<void> }> {
  if (config.databaseUrl !== undefined) {
    await ensureDatabase(config.databaseUrl);
    const ended = new Promise<void>(() => {});
    return { url: config.databaseUrl, ended, async [Symbol.asyncDispose]() {} };
  }
  const embedded = await startEmbeddedPostgres(config.dataDir, log, signal);
  await ensureDatabase(embedded.url);
  return embedded;
}

/** What keeps values: the sealer, which opens those of the secret before too, and the digests. */
export async function openVault(
  config: ServerConfig,
): Promise<Pick<ServerDeps, "sealer" | "digests">> {
  const { secretPrevious } = config;
  const secret = await readOrCreateSecret(config);
  return {
    sealer: new Sealer(secret, secretPrevious === undefined ? [] : [secretPrevious]),
    digests: new KeyedDigest(secret),
  };
}

/** Generated once, beside the embedded database; with an external one it comes from the configuration. */
async function readOrCreateSecret(config: ServerConfig): Promise<string> {
  if (config.secret !== undefined) return config.secret;
  const path = join(config.dataDir, "secret");
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  const fresh = `${randomBytes(48).toString("base64url")}\n`;
  await writeFile(path, fresh, { mode: 0o600, flag: "wx" }).catch((error: unknown) => {
    if ((error as { code?: string }).code !== "EEXIST") throw error;
  });
  return (await readFile(path, "utf8")).trim();
}

export interface StartOptions {
  readonly clock?: Clock;
  /** Where the built web client is. */
  readonly webRoot?: string;
  /** See `Passwords`. */
  readonly passwordCost?: number;
}

/** Starts everything and returns when the server listens. What was started is stopped again on failure. */
export async function startServer(
  config: ServerConfig,
  log: Logger,
  options: StartOptions = {},
): Promise<RunningServer> {
  const stack = new AsyncDisposableStack();
  const shutdown = new AbortController();
  const clock = options.clock ?? systemClock;
  try {
    const database = stack.use(await openDatabase(config, log, shutdown.signal));
    const pools: pg.Pool[] = [];
    const orm = await openOrm(database.url, config.databasePoolSize, (made) => pools.push(made));
    stack.defer(() => orm.close(true));
    await migrate(orm, database.url, clock.now(), log);

    const pool = new pg.Pool({ connectionString: database.url, max: 4, idleTimeoutMillis: 30_000 });
    pool.on("error", (error) => log.warn("a database connection was lost", { error }));
    stack.defer(() => pool.end());
    const background = stack.use(new Background());
    const compiler = stack.use(new PipelineCompiler());
    pools.push(pool);
    const sumOf = (name: "totalCount" | "idleCount" | "waitingCount"): number =>
      pools.reduce((sum, { [name]: count }) => sum + count, 0);
    const metrics = new ServerMetrics({
      get total() {
        return sumOf("totalCount");
      },
      get idle() {
        return sumOf("idleCount");
      },
      get waiting() {
        return sumOf("waitingCount");
      },
    });
    let fleet = 0;
    let addresses = { web: "", agents: "" };
    const { sealer, digests } = await openVault(config);
    const backends = stack.use(new BackendClients(config.secretBackends, clock));
    const hub = new AgentHub(
      (id, nodeIds) =>
        background.track(readDesiredState({ em: orm.em.fork(), sealer, log }, id, nodeIds)),
      log,
    );
    const deps: ServerDeps = {
      config,
      databaseUrl: database.url,
      orm,
      pool,
      clock,
      log,
      compiler,
      metrics,
      hub,
      hostChecks: new HostChecks({ orm, hub, sealer, clock, log }),
      ingest: new Ingest({
        pool,
        clock,
        log,
        metrics,
      }),
      live: new LiveViews(() => orm.em.fork(), clock, log),
      signIns: new RateLimiter(clock, 20, 20),
      passwords: new Passwords(options.passwordCost),
      refusals: new Refusals(clock),
      access: new AccessWatch(),
      background,
      sealer,
      digests,
      backends,
      fleetSize: () => fleet,
      addresses: () => addresses,
      signal: shutdown.signal,
    };
    const system = { em: orm.em.fork(), actor: { kind: "system" as const } };
    const { installationId } = await readSettings(system);

    // Jobs end last, so that what the listeners still took in is written.
    const jobsEnd = new AbortController();
    const jobs = runJobs(
      deps,
      {
        set(size) {
          fleet = size;
        },
      },
      jobsEnd.signal,
    );
    stack.defer(async () => {
      jobsEnd.abort();
      await jobs.catch(() => {});
      await deps.refusals.flush().catch(() => {});
    });
    const agents = stack.use(await listenAgents(deps, installationId));
    const http = stack.use(await listenHttp(deps, options.webRoot ?? webRoot));
    addresses = addressesOf(config, http.port, agents.port);
    stack.defer(() => {
      shutdown.abort(new ConnectError("the server is shutting down", Code.Unavailable));
    });
    const setupToken = await createSetupToken({ ...system, clock, log, signal: shutdown.signal });
    const failed = Promise.race([
      jobs.then(() => new Promise<never>(() => {})),
      database.ended.then(() => {
        if (shutdown.signal.aborted) return new Promise<never>(() => {});
        throw new Error("the database process has ended");
      }),
    ]);
    failed.catch(() => {});
    const running = stack.move();
    return {
      webUrl: addresses.web,
      agentUrl: addresses.agents,
      listening: {
        http: listenText(config.http.host, http.port),
        agents: listenText(config.agent.host, agents.port),
      },
      webPort: http.port,
      setupUrl: setupToken === undefined ? undefined : `${addresses.web}/setup?token=${setupToken}`,
      deps,
      failed,
      [Symbol.asyncDispose]: () => running.disposeAsync(),
    };
  } catch (error) {
    shutdown.abort();
    await stack.disposeAsync();
    throw error;
  }
}

/** In the form in which the configuration takes it. */
function listenText(host: string, port: number): string {
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

function addressesOf(
  config: ServerConfig,
  httpPort: number,
  agentPort: number,
): { web: string; agents: string } {
  const scheme = config.tls === undefined ? "http" : "https";
  const reachable = (host: string): string => {
    if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
    return host.includes(":") ? `[${host}]` : host;
  };
  const web = config.publicUrl ?? `${scheme}://${reachable(config.http.host)}:${httpPort}`;
  const agentHost =
    config.publicUrl === undefined
      ? reachable(config.agent.host)
      : new URL(config.publicUrl).hostname;
  return { web, agents: config.agentPublicUrl ?? `${scheme}://${agentHost}:${agentPort}` };
}
