import { silentLogger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { readConnection } from "../control/connection-state.ts";
import { lockHolder } from "../state/data-dir-lock.ts";
import { IdentityStore } from "../state/identity.ts";
import { NodeStateStore } from "../state/node-state.ts";
import { PipelineStore } from "../state/pipeline-store.ts";
import { scrubbedEnvironment } from "../vector/environment.ts";
import { VectorFinder } from "../vector/executable.ts";
import type { CommandContext } from "./context.ts";

/** Shows what this host knows. */
export async function status({ config, deps, print }: CommandContext): Promise<number> {
  const known = await readStatus(config.dataDir, deps.env);
  print(config.json ? JSON.stringify(known, null, 2) : formatStatus(known));
  return 0;
}

/** What `status` shows, read from the data directory: it works with and without a running agent. */
export async function readStatus(
  dataDir: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<object> {
  const identities = new IdentityStore(dataDir, silentLogger);
  await identities.load();
  const state = new NodeStateStore(dataDir, silentLogger);
  await state.load();
  const { identity } = identities;
  const store = new PipelineStore(dataDir, () => identities.key, silentLogger);
  const pipelines = await Promise.all(
    (state.manifest?.entries ?? []).map(async (entry) => {
      const record = await store.loadRecord(entry.pipelineId);
      const process = await store.loadProcess(entry.pipelineId);
      return {
        id: entry.pipelineId,
        name: entry.name,
        wantedVersion: entry.version,
        effectiveVersion: record?.effective?.version ?? null,
        phase: record?.attempt?.phase ?? "none",
        reason: record?.attempt?.reason ?? "",
        pid: process?.pid ?? null,
      };
    }),
  );
  const agentPid = (await lockHolder(dataDir)) ?? null;
  const connection = await readConnection(dataDir);
  const vector = await new VectorFinder({
    env,
    vectorEnv: scrubbedEnvironment(env),
    dataDir,
  }).look();
  return {
    dataDir,
    version,
    agentPid,
    // What an agent wrote that has died since tells nothing of now.
    connection: agentPid === null ? "no agent runs" : (connection?.state ?? "not connected yet"),
    connectionReason: agentPid === null ? null : connection?.reason || null,
    lastConnected: connection?.lastConnected || null,
    vector:
      vector.kind === "found"
        ? `${vector.executable.version}${vector.executable.simulated ? " (simulated)" : ""} at ${vector.executable.path}`
        : vector.problem,
    enrolled: identity !== undefined,
    server: identity?.server ?? null,
    nodeId: identity?.nodeId ?? null,
    environment: identity?.environmentName ?? null,
    generation: state.manifest === undefined ? null : String(state.manifest.generation),
    maintenance: state.manifest?.maintenance ?? false,
    pipelines,
  };
}

/** The same for people. */
export function formatStatus(status: object): string {
  const { pipelines, ...rest } = status as { pipelines: readonly object[] };
  const line = (fields: object): string =>
    Object.entries(fields)
      .filter(([, value]) => value !== null && value !== "")
      .map(([key, value]) => `${key}=${String(value)}`)
      .join(" ");
  const head = Object.entries(rest).map(
    ([key, value]: [string, unknown]) =>
      `${key.padEnd(17)} ${value === null ? "-" : JSON.stringify(value)}`,
  );
  const rows = pipelines.map((pipeline) => `  ${line(pipeline)}`);
  return [...head, `${"pipelines".padEnd(17)} ${pipelines.length}`, ...rows].join("\n");
}
