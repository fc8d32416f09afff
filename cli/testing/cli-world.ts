import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ApiTokenService } from "#gen/vectorflow/v1/api_token_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { setUp, startTestServer, type TestServer } from "../../server/testing/test-server.ts";
import type { ExitCode } from "../failures.ts";
import { run, type World } from "../run.ts";

/** What a command left behind. */
export interface Ran {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
  /** The standard output as JSON. */
  readonly json: unknown;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** What is piped in. */
  readonly stdin?: string;
  /** What a person at a terminal answers; without it there is no terminal. */
  readonly answer?: string;
  readonly signal?: AbortSignal;
  /** Called with everything that is written to the standard output. */
  readonly onOutput?: (text: string) => void;
}

/** Runs one command line in this process, with the streams of a process. */
export async function runCli(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  let stdout = "";
  let stderr = "";
  const { answer, onOutput } = options;
  const world: World = {
    program: "vectorflow",
    env: options.env ?? {},
    stdout: {
      write: (text) => {
        stdout += text;
        onOutput?.(text);
      },
    },
    stderr: { write: (text) => (stderr += text) },
    signal: options.signal ?? new AbortController().signal,
    stdin: {
      isTerminal: answer !== undefined,
      readAll: async () => Buffer.from(options.stdin ?? ""),
      ask: async (question) => {
        stderr += question;
        return answer ?? "";
      },
    },
  };
  const code = await run(args, world);
  return {
    code,
    stdout,
    stderr,
    get json(): unknown {
      return JSON.parse(stdout);
    },
  };
}

/** A server with a team, an editor's API token and an empty folder for files. */
export interface CliWorld extends AsyncDisposable {
  readonly server: TestServer;
  readonly admin: Awaited<ReturnType<typeof setUp>>;
  readonly apiToken: string;
  readonly folder: string;
  readonly cli: (args: readonly string[], options?: RunOptions) => Promise<Ran>;
  /** Writes a file into the folder and returns its path. */
  readonly write: (name: string, text: string) => Promise<string>;
}

export async function startCliWorld(
  templateUrl: string,
  serverEnv: Readonly<Record<string, string>> = {},
): Promise<CliWorld> {
  const stack = new AsyncDisposableStack();
  const server = stack.use(await startTestServer(templateUrl, serverEnv));
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-cli-"));
  stack.defer(() => rm(folder, { recursive: true, force: true }));
  const admin = await setUp(server);
  const { token: apiToken } = await server
    .client(ApiTokenService, admin.token)
    .createApiToken({ teamId: admin.teamId, name: "ci", role: Role.EDITOR });
  const env = { VECTORFLOW_SERVER: server.server.webUrl, VECTORFLOW_TOKEN: apiToken };
  return {
    server,
    admin,
    apiToken,
    folder,
    cli: (args, options = {}) => runCli(args, { ...options, env: { ...env, ...options.env } }),
    write: async (name, text) => {
      const path = join(folder, name);
      await writeFile(path, text);
      return path;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A configuration that deploys; `format` makes one that differs. */
export function configText(format: "json" | "syslog" = "json"): string {
  return `# Kept as it is.
sources:
  in:
    type: demo_logs
    format: ${format}
sinks:
  out:
    type: blackhole
    inputs: [in]
`;
}
