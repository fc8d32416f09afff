import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createClient, type Client, type Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import type { DescService } from "@bufbuild/protobuf";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { silentLogger, type Logger } from "#common/logger.ts";
import { parseConfig } from "../config.ts";
import { startServer, type RunningServer, type StartOptions } from "../server.ts";
import { createTestDatabase } from "./database.ts";

/** A real server on free ports over a database of its own. */
export interface TestServer extends AsyncDisposable {
  readonly server: RunningServer;
  readonly databaseUrl: string;
  /** A client with a session token, or without one. */
  client<T extends DescService>(service: T, token?: string): Client<T>;
  transport(token?: string): Transport;
}

export async function startTestServer(
  templateUrl: string,
  env: Readonly<Record<string, string>> = {},
  log: Logger = silentLogger,
  // The cheapest, since most tests sign in and few are about passwords.
  options: StartOptions = { passwordCost: 4 },
): Promise<TestServer> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase(templateUrl));
  const dataDir = await mkdtemp(join(tmpdir(), "vectorflow-server-"));
  stack.defer(() => rm(dataDir, { recursive: true, force: true }));
  const { config } = parseConfig({
    VECTORFLOW_DATA_DIR: dataDir,
    VECTORFLOW_HTTP_LISTEN: "127.0.0.1:0",
    VECTORFLOW_AGENT_LISTEN: "127.0.0.1:0",
    VECTORFLOW_DATABASE_URL: database.url,
    VECTORFLOW_SECRET: "a secret of forty characters for testing",
    VECTORFLOW_HEARTBEAT_INTERVAL_MS: "500",
    ...env,
  });
  const server = stack.use(await startServer(config, log, options));
  // Where it listens: its public address need not lead anywhere.
  const baseUrl = `http://${server.listening.http}`;
  const transport = (token?: string): Transport =>
    createConnectTransport({
      baseUrl,
      httpVersion: "1.1",
      interceptors: [
        (next) => (request) => {
          if (token !== undefined) request.header.set("authorization", `Bearer ${token}`);
          // As the web client and the command line do.
          if (!request.header.has("idempotency-key")) {
            request.header.set("idempotency-key", randomUUID());
          }
          return next(request);
        },
      ],
    });
  return {
    server,
    databaseUrl: database.url,
    transport,
    client: (service, token) => createClient(service, transport(token)),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

export const adminPassword = "correct horse battery staple";

/** Does the first run; returns a signed-in super admin with a team, an environment and an enrollment token. */
export async function setUp(test: TestServer): Promise<{
  readonly token: string;
  readonly environmentId: string;
  readonly teamId: string;
  readonly enrollmentToken: string;
}> {
  const setupToken = new URL(test.server.setupUrl ?? "").searchParams.get("token") ?? "";
  const auth = test.client(AuthService);
  const done = await auth.completeSetup({
    setupToken,
    email: "admin@example.com",
    name: "Admin",
    password: adminPassword,
    teamName: "Platform",
    environmentName: "Production",
  });
  const { sessionToken } = await auth.login({
    email: "admin@example.com",
    password: adminPassword,
  });
  const { token } = await test
    .client(EnvironmentService, sessionToken)
    .createEnrollmentToken({ environmentId: done.environmentId });
  return {
    token: sessionToken,
    environmentId: done.environmentId,
    teamId: done.user?.memberships[0]?.teamId ?? "",
    enrollmentToken: token,
  };
}
