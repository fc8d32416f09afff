import { randomBytes, randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import type { Client } from "@grpc/grpc-js";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import { runTasks } from "#common/run-tasks.ts";
import type { AgentConfig } from "./config.ts";
import { openClient } from "./control/channel.ts";
import { runControlLoop } from "./control/control-loop.ts";
import { enroll } from "./control/enroll.ts";
import { HostPolicyKeeper } from "./policy/host-policy.ts";
import type { PolicyFile } from "./policy/policy-file.ts";
import { endLeftovers } from "./process/leftover.ts";
import type { RunnerLimits } from "./process/limits.ts";
import { LogSpool } from "./process/log-spool.ts";
import { StatusBoard } from "./process/pipeline-status.ts";
import { PortAllocator } from "./process/ports.ts";
import { Reconciler } from "./reconcile/reconciler.ts";
import { lockDataDir } from "./state/data-dir-lock.ts";
import { IdentityStore, type Identity } from "./state/identity.ts";
import { NodeStateStore } from "./state/node-state.ts";
import { PipelineStore } from "./state/pipeline-store.ts";
import { readHostFacts } from "./telemetry/host-facts.ts";
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
export class NotEnrolledError extends Error {
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
  await finder.look(signal);
  const facts = () => readHostFacts(config.labels, finder.current, policy.facts);
  let client = openClient(config.address);
  try {
    const identity =
      identities.identity ?? (await firstIdentity(config, deps, client, identities, signal));
    if (identity.server !== config.server) {
      log.warn("the server's address has changed; the identity stays", {
        enrolledAt: identity.server,
        server: config.server,
      });
    }
    const state = new NodeStateStore(config.dataDir, log);
    await state.load();
    const store = new PipelineStore(config.dataDir, () => identities.key, log);
    await endLeftovers(store, clock, log, signal);
    const board = new StatusBoard();
    const spool = new LogSpool(randomBytes(8).toString("hex"));
    const reconciler = new Reconciler(
      {
        store,
        ports: new PortAllocator(deps.random),
        board,
        spool,
        clock,
        random: deps.random,
        log,
        limits: deps.limits,
        policy,
        env: vectorEnv,
        vector: () => finder.current,
      },
      state,
      () => identity.installationId,
    );
    using _look = finder.subscribe(() => reconciler.lookAgain());
    using _rules = policy.subscribe(() => reconciler.lookAgain());
    const scraper = new Scraper(() => reconciler.runners(), clock);
    let intervalMs = 5000;
    await runTasks(
      signal,
      (scope) => reconciler.run(scope),
      (scope) => scraper.run(() => intervalMs, scope),
      (scope) => finder.watch(lookForVectorEveryMs, clock, log, scope),
      (scope) => policy.run(clock, log, scope),
      (scope) =>
        runControlLoop(
          {
            get client() {
              return client;
            },
            reconnect() {
              client.close();
              client = openClient(config.address);
            },
            clock,
            log,
            bootId: randomUUID(),
            reconciler,
            board,
            spool,
            scraper,
            hostMetrics: new HostMetricsReader(clock),
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
        ),
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
      facts: await readHostFacts(config.labels, await finder.look(signal)),
    },
    deps,
    signal,
  );
  await identities.save(identity);
  deps.log.info("enrolled", { nodeId: identity.nodeId, environment: identity.environmentName });
  return identity;
}
