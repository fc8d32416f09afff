import * as http from "node:http";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { UsageError } from "../config.ts";
import { ExpectedError } from "../expected-error.ts";
import { messageOf } from "../text.ts";
import { scrubbedEnvironment } from "../vector/environment.ts";
import { VectorFinder } from "../vector/executable.ts";
import { installVector, installedVersions } from "../vector/install-vector.ts";
import { isStrictVersion, vectorVersion } from "../vector/releases.ts";
import type { CommandContext } from "./context.ts";

/** Puts a release of Vector into the data directory, or lists those that are there. */
export async function installVectorCommand(context: CommandContext): Promise<number> {
  const { argument, flags, config, deps, signal, print } = context;
  const directory = join(config.dataDir, "vector");
  if (flags.list === true) {
    const versions = await installedVersions(directory);
    for (const version of versions) print(join(directory, version, "bin/vector"));
    if (versions.length === 0) print(`no version is installed in ${directory}`);
    print(await whatRuns(context));
    return 0;
  }
  if (argument === undefined || !isStrictVersion(argument)) {
    throw new UsageError(`install-vector needs a version such as ${vectorVersion}`);
  }
  trustSystemAndProxy(deps.env);
  try {
    const { path, trust } = await installVector({
      version: argument,
      baseUrl: flags.url ?? (deps.env["VECTORFLOW_VECTOR_DOWNLOAD_URL"] || undefined),
      directory,
      progress: process.stderr.isTTY
        ? (text) => process.stderr.write(`\r\u001B[K${text}`)
        : undefined,
      signal,
    });
    print(
      trust === undefined
        ? `${path} was there already`
        : `${path}: ${checkedBy[trust]}, and it runs`,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw new ExpectedError(`Vector ${argument} was not installed: ${messageOf(error)}`, {
      cause: error,
    });
  }
  print(await whatRuns(context));
  return 0;
}

const checkedBy = {
  pinned: "its checksum is the one that this agent knows",
  release: "its checksum is the one in the release's own SHA256SUMS, which is not signed",
};

/** Downloads go through the proxy of the environment and trust what the system trusts. */
function trustSystemAndProxy(env: CommandContext["deps"]["env"]): void {
  http.setGlobalProxyFromEnv({ ...env });
  setDefaultCACertificates([...getCACertificates("default"), ...getCACertificates("system")]);
}

/** Which Vector the agent takes, because the newest download is not always the one. */
async function whatRuns({ config, deps }: CommandContext): Promise<string> {
  const { env } = deps;
  const finder = new VectorFinder({
    env,
    vectorEnv: scrubbedEnvironment(env),
    dataDir: config.dataDir,
  });
  const found = await finder.look();
  if (found.kind === "missing") return `the agent runs none: ${found.problem}`;
  const { path, version } = found.executable;
  return path.startsWith(join(config.dataDir, "vector"))
    ? `the agent runs ${version}, the newest one here; VECTOR_BIN names another`
    : `the agent runs ${version} at ${path}, which comes before those in ${config.dataDir}; VECTOR_BIN names another`;
}
