import { spawn, type ChildProcess } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import pg from "pg";
import { expect, test } from "vitest";
import { silentLogger } from "#common/logger.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { freePort, startEmbeddedPostgres } from "../db/embedded-postgres.ts";
import { clientOf, exitOf, root, sooner, temporaryDataDir, vectorBin } from "./launched-stack.ts";
import { onlyPid, pidsOf } from "./processes.ts";

const yaml = `sources:
  in: {type: demo_logs, format: json, interval: 0.1}
sinks:
  out: {type: blackhole, inputs: [in]}
`;

/** A process of ours that is asked to end with the test, and waited for. */
function start(args: readonly string[], env: Readonly<Record<string, string>>) {
  const child = spawn(process.execPath, [...args], {
    cwd: root,
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, ...env },
  });
  return {
    child,
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await exitOf(child);
    },
  };
}

/** The address of the first run in the server's log, or undefined once that is done. */
async function startedAt(child: ChildProcess): Promise<string | undefined> {
  const lines: string[] = [];
  if (child.stderr === null) throw new Error("the server has no output");
  for await (const line of createInterface({ input: child.stderr })) {
    lines.push(line);
    if (!line.includes('"server started"')) continue;
    child.stderr.resume();
    return (JSON.parse(line) as { setup?: string }).setup;
  }
  throw new Error(`the server ended:\n${lines.join("\n")}`);
}

test("an older database under a live agent stops nothing until a person confirms it (P10, S14)", async () => {
  await using dataDir = await temporaryDataDir("restore");
  const stop = new AbortController();
  await using postgres = await startEmbeddedPostgres(dataDir.path, silentLogger, stop.signal);
  const databaseUrl = (name: string): string => {
    const url = new URL(postgres.url);
    url.pathname = `/${name}`;
    return url.href;
  };
  const ports = { http: await freePort(), agents: await freePort() };
  const base = `http://127.0.0.1:${ports.http}`;
  const startServer = (database: string) =>
    start([join(root, "server/main.ts"), "serve"], {
      VECTORFLOW_DATA_DIR: dataDir.path,
      VECTORFLOW_DATABASE_URL: databaseUrl(database),
      VECTORFLOW_SECRET: "a secret of forty characters for testing",
      VECTORFLOW_HTTP_LISTEN: `127.0.0.1:${ports.http}`,
      VECTORFLOW_AGENT_LISTEN: `127.0.0.1:${ports.agents}`,
      VECTORFLOW_HEARTBEAT_INTERVAL_MS: "500",
    });

  // A host that is enrolled, and a pipeline that was never deployed: the moment of the backup.
  let server = startServer("vectorflow");
  await using stack = new AsyncDisposableStack();
  stack.defer(() => server[Symbol.asyncDispose]());
  const setupToken = new URL((await startedAt(server.child)) ?? "").searchParams.get("token") ?? "";
  const login = { email: "admin@example.com", password: "correct horse battery staple" };
  const auth = clientOf(AuthService, base);
  const { environmentId } = await auth.completeSetup({
    ...login,
    setupToken,
    name: "Admin",
    teamName: "Platform",
    environmentName: "Production",
  });
  const { sessionToken } = await auth.login(login);
  const environments = clientOf(EnvironmentService, base, sessionToken);
  const nodes = clientOf(NodeService, base, sessionToken);
  const pipelines = clientOf(PipelineService, base, sessionToken);
  const { token } = await environments.createEnrollmentToken({ environmentId });
  const { pipeline } = await pipelines.createPipeline({ environmentId, name: "P", yaml });
  const id = pipeline?.summary?.id ?? "";
  await using _agent = start(
    [
      join(root, "agent/main.ts"),
      "run",
      "--server",
      `http://127.0.0.1:${ports.agents}`,
      "--token",
      token,
      "--data-dir",
      join(dataDir.path, "agent"),
    ],
    { VECTOR_BIN: vectorBin },
  );
  const node = async () => (await nodes.listNodes({ environmentId })).nodes[0];
  await sooner(async () => expect(await node()).toMatchObject({ status: NodeStatus.HEALTHY }));

  await server[Symbol.asyncDispose]();
  const admin = new pg.Client({ connectionString: databaseUrl("postgres") });
  await admin.connect();
  await admin.query(`create database backup template vectorflow`);
  await admin.end();

  // Life goes on, as the backup will not know.
  server = startServer("vectorflow");
  await startedAt(server.child);
  await pipelines.deployPipeline({ id });
  await pipelines.deployPipeline({ id });
  await sooner(async () => {
    const { nodes: statuses } = await pipelines.getPipeline({ id });
    expect(statuses).toMatchObject([{ effectiveVersion: 2 }]);
  });
  const vector = onlyPid(dataDir.path, "vector");

  // The backup takes its place, at the same addresses: it knows of no deploy at all.
  await server[Symbol.asyncDispose]();
  server = startServer("backup");
  await startedAt(server.child);
  await sooner(async () => {
    expect(await node()).toMatchObject({ fenced: true, status: NodeStatus.DEGRADED });
    const { environment } = await environments.getEnvironment({ id: environmentId });
    expect(environment?.fencedNodeCount).toBe(1);
  });
  expect((await node())?.reasons).toContain("ignores this server: it has seen a later state");
  expect(onlyPid(dataDir.path, "vector")).toBe(vector);

  // What the restored server says is obeyed again once a person stands by it.
  expect(await environments.confirmRestoredState({ environmentId })).toMatchObject({
    nodeCount: 1,
  });
  await sooner(() => expect(pidsOf(dataDir.path, "vector")).toEqual([]));
  await pipelines.deployPipeline({ id });
  await sooner(async () => {
    const { nodes: statuses } = await pipelines.getPipeline({ id });
    expect(statuses).toMatchObject([{ effectiveVersion: 1 }]);
    expect(await node()).toMatchObject({ fenced: false, status: NodeStatus.HEALTHY });
  });
}, 120_000);
