import { randomBytes, randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Client } from "@grpc/grpc-js";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import { runTasks } from "#common/run-tasks.ts";
import type { AgentConfig } from "./config.ts";
import { openClient } from "./control/channel.ts";
import { ConnectionState, recordConnection } from "./control/connection-state.ts";
import { runControlLoop } from "./control/control-loop.ts";
import { enroll } from "./control/enroll.ts";
import { ExpectedError } from "./expected-error.ts";
import { runHealthPage } from "./health/health-page.ts";
import { Cgroups } from "./process/cgroups.ts";
import { Leftovers } from "./process/leftover.ts";
import { HostPolicyKeeper } from "./policy/host-policy.ts";
import type { PolicyFile } from "./policy/policy-file.ts";
import type { RunnerLimits } from "./process/limits.ts";
import { LogSpool } from "./process/log-spool.ts";
import { StatusBoard } from "./process/pipeline-status.ts";
import { PortAllocator } from "./process/ports.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { SecretServer } from "./secrets/secret-server.ts";
import { lockDataDir } from "./state/data-dir-lock.ts";
import { IdentityStore, type Identity } from "./state/identity.ts";
import { NodeStateStore } from "./state/node-state.ts";
import { PipelineStore } from "./state/pipeline-store.ts";
import { readHostBootId, readHostFacts } from "./telemetry/host-facts.ts";
import { HostMetricsReader } from "./telemetry/host-metrics.ts";
import { Scraper } from "./telemetry/scraper.ts";
import { scrubbedEnvironment } from "./vector/environment.ts";
import { VectorFinder } from "./vector/executable.ts";

export interface AgentDeps {
  readonly clock: Clock;
  readonly log: Logger;
  readonly random: () => number;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly limits: RunnerLimits;
  /** How the host's policy is read; tests need no root for theirs. */
  readonly readPolicy?: (path: string) => Promise<PolicyFile>;
}

/** There is nothing to enroll with. */
export class NotEnrolledError extends ExpectedError {
  override readonly name = "NotEnrolledError";
}

const lookForVectorEveryMs = 10_000;

/**
 * Runs the agent until the signal; then no Vector of it is left. Pipelines start from disk before the server is
 * spoken to, and need it for nothing (P2, P5).
 */
export async function runAgent(
  config: AgentConfig,
  deps: AgentDeps,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log, env } = deps;
  const policy = await HostPolicyKeeper.open(config.policyPath, deps.readPolicy);
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await using _lock = await lockDataDir(config.dataDir);
  const identities = new IdentityStore(config.dataDir, log);
  await identities.load();
  const vectorEnv = scrubbedEnvironment(env);
  const finder = new VectorFinder({ env, vectorEnv, dataDir: config.dataDir });
  await finder.look();
  const facts = () => readHostFacts(config.labels, finder.current, policy.facts);
  const client = openClient(config.address);
  try {
    const identity =
      identities.identity ?? (await firstIdentity(config, deps, client, identities, signal));
    // Each session makes a connection of its own; this one would stay open beside them.
    client.close();
    if (identity.server !== config.server) {
      log.warn("the server's address has changed; the identity stays", {
        enrolledAt: identity.server,
        server: config.server,
      });
    }
    const state = new NodeStateStore(config.dataDir, log);
    await state.load();
    const store = new PipelineStore(config.dataDir, () => identities.key, log);
    const leftovers = await Leftovers.find(store);
    await using secrets = new SecretServer(log);
    await secrets.start(config.dataDir);
    const checksFolder = join(config.dataDir, "checks");
    // What an agent left that was killed during a check.
    await rm(checksFolder, { recursive: true, force: true });
    const machine = {
      machineId: await identities.machineId(),
      hostBootId: await readHostBootId(),
    };
    const board = new StatusBoard();
    const spool = new LogSpool(randomBytes(8).toString("hex"));
    const reconciler = new Reconciler(
      {
        store,
        ports: new PortAllocator(deps.random),
        board,
        spool,
        secrets,
        leftovers,
        cgroups: new Cgroups(),
        clock,
        random: deps.random,
        log,
        limits: deps.limits,
        policy,
        env: vectorEnv,
        vector: () => finder.look(),
      },
      state,
      () => identity.installationId,
    );
    using _look = finder.subscribe(() => reconciler.lookAgain());
    using _rules = policy.subscribe(() => reconciler.lookAgain());
    const scraper = new Scraper(() => reconciler.runners(), clock);
    const connection = new ConnectionState(clock);
    let intervalMs = 5000;
    await runTasks(
      signal,
      (scope) => reconciler.run(scope),
      (scope) => scraper.run(() => intervalMs, scope),
      (scope) => finder.watch(lookForVectorEveryMs, clock, log, scope),
      (scope) => policy.run(clock, log, scope),
      (scope) => recordConnection(connection, config, log, scope),
      (scope) => runHealthPage(config.health, { connection, reconciler, spool }, log, scope),
      async (scope) => {
        await reconciler.ready();
        await runControlLoop(
          {
            openClient: () => openClient(config.address),
            connection,
            clock,
            log,
            bootId: randomUUID(),
            machine,
            reconciler,
            board,
            spool,
            scraper,
            hostMetrics: new HostMetricsReader(clock),
            inspection: {
              env: vectorEnv,
              localRules: config.redaction,
              vector: () => finder.current,
            },
            checks: {
              env: vectorEnv,
              folder: checksFolder,
              policy,
              vector: () => finder.current,
            },
            answered: new Map(),
            random: deps.random,
            nodeToken: () => identity.nodeToken,
            nodeId: () => identity.nodeId,
            installationId: () => state.manifest?.installationId ?? "",
            facts,
            onInterval: (ms) => {
              // The numbers of a heartbeat are at most one interval old.
              intervalMs = ms;
            },
          },
          scope,
        );
      },
    );
  } finally {
    client.close();
  }
}

/** Enrolls with the token of the configuration and keeps what the server gave. */
export async function firstIdentity(
  config: AgentConfig,
  deps: AgentDeps,
  client: Client,
  identities: IdentityStore,
  signal: AbortSignal,
): Promise<Identity> {
  if (config.token === undefined) {
    throw new NotEnrolledError(
      "this host is not enrolled: give an enrollment token with --token (Hosts, Add a host shows one)",
    );
  }
  const finder = new VectorFinder({
    env: deps.env,
    vectorEnv: scrubbedEnvironment(deps.env),
    dataDir: config.dataDir,
  });
  const identity = await enroll(
    client,
    {
      server: config.server,
      token: config.token,
      machineId: await identities.machineId(),
      facts: await readHostFacts(config.labels, await finder.look()),
    },
    deps,
    signal,
  );
  await identities.save(identity);
  deps.log.info("enrolled", { nodeId: identity.nodeId, environment: identity.environmentName });
  return identity;
}
