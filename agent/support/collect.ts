import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { silentLogger } from "#common/logger.ts";
import { version } from "#common/version.ts";
import { readStatus } from "../commands/status.ts";
import type { AgentConfig } from "../config.ts";
import { examine } from "../doctor/doctor.ts";
import { serviceName } from "../service/layout.ts";
import { withoutValues } from "../service/install-plan.ts";
import { IdentityStore } from "../state/identity.ts";
import { PipelineStore } from "../state/pipeline-store.ts";
import { messageOf } from "../text.ts";
import { processTable } from "./processes.ts";
import { redactConfig, redactJson, redactText } from "./redact.ts";

const run = promisify(execFile);
const logLines = 2000;

type Environment = Readonly<Record<string, string | undefined>>;

/** Everything for the bundle by its name in it. Nothing in it is a secret that this agent knows, or looks like one. */
export async function collect(
  config: AgentConfig,
  env: Environment,
): Promise<ReadonlyMap<string, string>> {
  const identities = new IdentityStore(config.dataDir, silentLogger);
  await identities.load();
  const store = new PipelineStore(config.dataDir, () => identities.key, silentLogger);
  const known = await knownSecrets(config, env, identities, store);
  const files = new Map<string, string>();
  const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;
  const add = async (name: string, make: () => Promise<string>): Promise<void> => {
    const text = await make().catch((error: unknown) => `not available: ${messageOf(error)}\n`);
    files.set(name, name.endsWith(".json") ? redactJson(text, known) : redactText(text, known));
  };
  await add("version.json", async () =>
    json({
      agent: version,
      node: process.versions.node,
      platform: `${process.platform}/${process.arch}`,
      time: new Date().toISOString(),
    }),
  );
  await add("status.json", async () => json(await readStatus(config.dataDir, env)));
  await add("doctor.json", async () => json(await examine(config, env, true)));
  await add("identity.json", async () => {
    const { identity } = identities;
    if (identity === undefined) return "this host is not enrolled\n";
    const { nodeToken: _secret, ...rest } = identity;
    return json(rest);
  });
  for (const name of ["state.json", "connection.json"]) {
    await add(name, async () => await readFile(join(config.dataDir, name), "utf8"));
  }
  await add("processes.txt", async () => await processTable(store));
  await add("agent.log", async () => await agentLog());
  await add("service.txt", async () => await serviceText());
  for (const id of await store.ids()) {
    const paths = store.paths(id);
    await add(
      `pipelines/${id}/pipeline.json`,
      async () => await readFile(join(paths.folder, "pipeline.json"), "utf8"),
    );
    await add(`pipelines/${id}/vector.yaml`, async () =>
      redactConfig(await readFile(paths.config, "utf8"), known),
    );
  }
  files.set("README.txt", readme([...files.keys()]));
  return files;
}

/** Every secret that this agent has: they are masked wherever they turn up. */
async function knownSecrets(
  config: AgentConfig,
  env: Environment,
  identities: IdentityStore,
  store: PipelineStore,
): Promise<readonly string[]> {
  const own = [config.token, identities.identity?.nodeToken];
  for (const name of ["http_proxy", "https_proxy"]) {
    const url = URL.parse(env[name] || env[name.toUpperCase()] || "");
    if (url !== null) own.push(url.password, decodeURIComponent(url.password));
  }
  const secrets = own.filter((secret) => secret !== undefined && secret !== "") as string[];
  if (identities.identity === undefined) return secrets;
  for (const id of await store.ids()) {
    const record = await store.loadRecord(id);
    const hashes = new Set([record?.effective?.hash, record?.attempt?.hash]);
    for (const hash of hashes) {
      if (hash === undefined) continue;
      const lookup = await store.loadBody(id, hash);
      if (lookup.kind !== "found") continue;
      const { body } = lookup;
      for (const value of body.secrets.values()) secrets.push(Buffer.from(value).toString("utf8"));
      for (const { content } of body.certificates) {
        secrets.push(Buffer.from(content).toString("utf8"));
      }
    }
  }
  return secrets;
}

async function agentLog(): Promise<string> {
  const { stdout } = await run(
    "journalctl",
    ["-u", serviceName, "-n", String(logLines), "--no-pager", "-o", "cat"],
    { timeout: 20_000, killSignal: "SIGKILL", maxBuffer: 32 * 1024 * 1024 },
  );
  return stdout;
}

async function serviceText(): Promise<string> {
  const { stdout } = await run("systemctl", ["show", serviceName, "--no-pager"], {
    timeout: 20_000,
    killSignal: "SIGKILL",
  });
  return withoutValues(stdout.replaceAll(/^Environment=.*$/gm, "Environment=…"));
}

function readme(names: readonly string[]): string {
  return `Support bundle of a VectorFlow agent.

Values of secrets, tokens and certificates are not in it, and what looks like a credential was
masked. It does hold names of pipelines, hosts and addresses, and lines of logs: look through it
before you send it to anybody.

${names.toSorted().join("\n")}
`;
}
