import { mkdir } from "node:fs/promises";
import { NotEnrolledError, firstIdentity } from "../agent.ts";
import { openClient } from "../control/channel.ts";
import { lockDataDir } from "../state/data-dir-lock.ts";
import { IdentityStore } from "../state/identity.ts";
import type { CommandContext } from "./context.ts";

/** Gets an identity for this host and keeps it; nothing is run. */
export async function enroll({
  config,
  deps,
  flags,
  signal,
  print,
}: CommandContext): Promise<number> {
  await mkdir(config.dataDir, { recursive: true, mode: 0o700 });
  await using _lock = await lockDataDir(config.dataDir);
  const identities = new IdentityStore(config.dataDir, deps.log);
  await identities.load();
  const isCopy = flags["as-new"] === true;
  if (isCopy && config.token === undefined) {
    throw new NotEnrolledError(
      "--as-new needs an enrollment token too: Hosts, Add a host shows one (--token)",
    );
  }
  if (isCopy) await identities.forgetMachine();
  else if (identities.identity !== undefined && !config.force) {
    print(`this host is enrolled already, as node ${identities.identity.nodeId}`);
    return 0;
  }
  const client = openClient(config.address);
  try {
    const identity = await firstIdentity(config, deps, client, identities, signal);
    print(`enrolled as node ${identity.nodeId} in ${identity.environmentName}`);
    return 0;
  } finally {
    client.close();
  }
}
