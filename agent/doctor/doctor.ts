import { version } from "#common/version.ts";
import { silentLogger } from "#common/logger.ts";
import type { AgentConfig } from "../config.ts";
import type { Credential } from "../control/probe.ts";
import { serverAddress } from "../control/server-address.ts";
import { IdentityStore, type Identity } from "../state/identity.ts";
import { problem, worst, type Finding, type Level } from "./finding.ts";
import { hostFindings } from "./host.ts";
import { networkFindings } from "./network.ts";
import { vectorFinding } from "./vector.ts";

export interface DoctorReport {
  readonly version: string;
  readonly level: Level;
  readonly findings: readonly Finding[];
}

/** Looks at everything that a running agent needs. It changes nothing and uses no token up. */
export async function examine(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
  mayBePlaintext: boolean,
): Promise<DoctorReport> {
  const [network, vector, host] = await Promise.all([
    serverFindings(config, env, mayBePlaintext),
    vectorFinding(config.dataDir, env),
    hostFindings(config.dataDir),
  ]);
  const findings = [...network, vector, ...host];
  return { version, level: worst(findings), findings };
}

async function serverFindings(
  config: AgentConfig,
  env: Readonly<Record<string, string | undefined>>,
  mayBePlaintext: boolean,
): Promise<readonly Finding[]> {
  const identity = await readIdentity(config.dataDir);
  const address =
    config.server === "" && identity !== undefined
      ? serverAddress(identity.server, env, config.address.ca)
      : config.address;
  if (address === undefined || (config.server === "" && identity === undefined)) {
    return [problem("server", "no server is named", "give its address with --server")];
  }
  const credential: Credential =
    identity !== undefined
      ? { kind: "node", token: identity.nodeToken }
      : config.token === undefined
        ? { kind: "none" }
        : { kind: "enrollment", token: config.token };
  // An agent that is enrolled there without TLS was told that it may.
  const allowed = mayBePlaintext || (config.server === "" && identity !== undefined);
  return await networkFindings(address, credential, allowed);
}

/** The identity; undefined when there is none that this account can read. */
async function readIdentity(dataDir: string): Promise<Identity | undefined> {
  const identities = new IdentityStore(dataDir, silentLogger);
  await identities.load().catch(() => {}); // Not readable: the data directory's own finding says so.
  return identities.identity;
}
