import { createWriteStream } from "node:fs";
import { mkdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "#common/clock.ts";
import { nodeFlags } from "../agent/self-command.ts";
import { installVector } from "../agent/vector/install-vector.ts";
import { vectorVersion } from "../agent/vector/releases.ts";
import { ConfigError, parseConfig } from "../server/config.ts";
import { version } from "#common/version.ts";
import { buildWeb } from "./build-web.ts";
import { supervise, type Supervised } from "./supervise.ts";

const root = join(import.meta.dirname, "..");
const usage = `VectorFlow ${version}

Usage: npm start [-- options]

Builds what is missing and runs the server, its database and one agent on this machine.
Ctrl-C ends all of it.

Options:
  --no-agent   Run the server without an agent on this machine.
  --help       Show this text.

The server is configured by environment variables: see docs/configuration.md.
`;

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** What the launcher learns from the server's log. */
interface Addresses {
  readonly web: string;
  readonly agents: string;
  readonly setup: string | undefined;
  readonly listening: { readonly http: string; readonly agents: string };
}

async function main(): Promise<number> {
  const options = process.argv.slice(2);
  if (options.includes("--help") || options.includes("-h")) {
    print(usage);
    return 0;
  }
  const unknown = options.filter((option) => option !== "--no-agent");
  if (unknown.length > 0) {
    process.stderr.write(`unknown option: ${unknown.join(" ")}\n\n${usage}`);
    return 2;
  }
  const { config } = parseConfig(process.env);
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) process.on(name, () => stop.abort());

  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await buildWeb(root, print);
  const agentDir = join(config.dataDir, "agent");
  const withAgent = !options.includes("--no-agent");
  const vector = withAgent ? await chooseVector(agentDir, stop.signal) : undefined;

  const started = Promise.withResolvers<Addresses>();
  const serverLog = createWriteStream(join(config.dataDir, "server.log"), {
    flags: "a",
    mode: 0o600,
  });
  const serverEnv: NodeJS.ProcessEnv = {
    ...process.env,
    VECTORFLOW_DATA_DIR: config.dataDir,
    VECTORFLOW_LOCAL_AGENT: "true",
  };
  const server = supervise(
    {
      name: "server",
      args: [join(root, "server/main.ts"), "serve"],
      env: serverEnv,
      cwd: root,
      onLine: (line) => {
        serverLog.write(`${line}\n`);
        readServerLine(line, started.resolve);
      },
      print,
    },
    stop.signal,
  );
  const addresses = await Promise.race([started.promise, server.gaveUp]);
  if (addresses === undefined) return 1;
  // A server that is started again must be where its agents and open pages look for it, also if port 0 was asked for.
  serverEnv["VECTORFLOW_HTTP_LISTEN"] = addresses.listening.http;
  serverEnv["VECTORFLOW_AGENT_LISTEN"] = addresses.listening.agents;
  print("");
  print(`VectorFlow ${version}`);
  print(`  Server   ${addresses.web}, agents at ${addresses.agents}`);
  if (vector !== undefined) print(`  Vector   ${vector.text}`);
  print(`  Logs     ${join(config.dataDir, "server.log")}${withAgent ? " and agent.log" : ""}`);
  print("");
  print(`Open ${addresses.setup ?? addresses.web}`);
  print("");
  let agent: Supervised | undefined;
  if (vector !== undefined) {
    agent = await startAgent(config.dataDir, agentDir, addresses.agents, vector.env, stop.signal);
  }
  await Promise.all([server.ended, agent?.ended]);
  serverLog.end();
  return 0;
}

function readServerLine(line: string, resolve: (addresses: Addresses) => void): void {
  let record: Partial<Addresses> & { readonly event?: string; readonly level?: string };
  try {
    record = JSON.parse(line) as typeof record;
  } catch {
    // Not a log line: what a failing start prints for people.
    process.stderr.write(`${line}\n`);
    return;
  }
  if (record.event === "server started" && record.listening !== undefined) {
    const { web = "", agents = "", setup, listening } = record;
    resolve({ web, agents, setup, listening });
  } else if (record.level === "error") {
    process.stderr.write(`server: ${record.event ?? line}\n`);
  }
}

/** VECTOR_BIN, the PATH and what was installed before come first; then the official release; then vector-sim. */
async function chooseVector(
  agentDir: string,
  signal: AbortSignal,
): Promise<{ readonly text: string; readonly env: Readonly<Record<string, string>> }> {
  const named = process.env["VECTOR_BIN"];
  if (named !== undefined && named !== "") return { text: named, env: {} };
  for (const folder of (process.env["PATH"] ?? "").split(":")) {
    if (folder !== "" && (await exists(join(folder, "vector")))) {
      return { text: join(folder, "vector"), env: {} };
    }
  }
  const installed = join(agentDir, "vector");
  if (await exists(join(installed, vectorVersion, "bin", "vector"))) {
    return { text: `${vectorVersion}, downloaded before`, env: {} };
  }
  try {
    await installVector({
      version: vectorVersion,
      baseUrl: process.env["VECTORFLOW_VECTOR_DOWNLOAD_URL"],
      directory: installed,
      progress: process.stderr.isTTY
        ? (text) => process.stderr.write(`\r\u001B[K${text}`)
        : undefined,
      signal,
    });
    return { text: `${vectorVersion}, downloaded`, env: {} };
  } catch (error) {
    signal.throwIfAborted();
    return {
      text: `simulated: no Vector here, and it could not be downloaded (${(error as Error).message})`,
      env: { VECTOR_BIN: join(root, "agent/simulator/vector-sim") },
    };
  }
}

/** Waits until the first run has made an environment for this host to join, then runs the agent. */
async function startAgent(
  dataDir: string,
  agentDir: string,
  agentUrl: string,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<Supervised> {
  const tokenFile = join(dataDir, "local-enrollment-token");
  while (
    !signal.aborted &&
    !(await exists(join(agentDir, "identity.json"))) &&
    !(await exists(tokenFile))
  ) {
    await systemClock.sleep(250, signal).catch(() => {});
  }
  const token = await readFile(tokenFile, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
  const log = createWriteStream(join(dataDir, "agent.log"), { flags: "a", mode: 0o600 });
  const agent = supervise(
    {
      name: "agent",
      args: [
        ...nodeFlags,
        join(root, "agent/main.ts"),
        "run",
        "--server",
        agentUrl,
        "--data-dir",
        agentDir,
        "--drain-limit",
        "4",
        // The address may be the public one, but what is sent there stays on this machine.
        "--allow-plaintext",
      ],
      env: {
        ...process.env,
        ...env,
        ...(token === undefined ? {} : { VECTORFLOW_ENROLLMENT_TOKEN: token }),
      },
      cwd: root,
      onLine: (line) => {
        log.write(`${line}\n`);
        if (line.includes('"level":"error"') || !line.startsWith("{"))
          process.stderr.write(`agent: ${line}\n`);
      },
      print,
    },
    signal,
  );
  void agent.ended.then(() => log.end());
  // Spent: the agent has an identity of its own by now, or will say why not.
  if (token !== undefined) await forgetToken(agentDir, tokenFile, signal);
  return agent;
}

async function forgetToken(
  agentDir: string,
  tokenFile: string,
  signal: AbortSignal,
): Promise<void> {
  for (let tries = 0; tries < 100 && !signal.aborted; tries += 1) {
    if (await exists(join(agentDir, "identity.json"))) {
      await rm(tokenFile, { force: true });
      return;
    }
    await systemClock.sleep(200, signal).catch(() => {});
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    const text =
      error instanceof ConfigError ? error.message : ((error as Error).stack ?? String(error));
    process.stderr.write(`${text}\n`);
    process.exit(1);
  },
);
