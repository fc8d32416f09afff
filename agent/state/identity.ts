import { createHash, randomBytes } from "node:crypto";
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Logger } from "#common/logger.ts";

import { readIfPresent, readJsonFile, writeFileAtomically } from "./atomic-file.ts";
import { recordOf, stringOf } from "./parse.ts";
import { keyFromToken, newKey, seal, unseal } from "./sealed.ts";

/** Who this agent is, as the server said when it enrolled. */
export interface Identity {
  /** Address of the agent plane at which it enrolled. */
  readonly server: string;
  readonly installationId: string;
  readonly nodeId: string;
  readonly nodeToken: string;
  readonly environmentId: string;
  readonly environmentName: string;
}

const keyPlace = "state key";

/**
 * Keeps the identity, and the key that seals secrets on this disk. The key is random and itself
 * sealed with one derived from the node token: a new token re-wraps it and all secrets stay
 * readable.
 */
export class IdentityStore {
  readonly #path: string;
  readonly #folder: string;
  readonly #log: Logger;
  #identity: Identity | undefined;
  #key: Buffer | undefined;

  constructor(dataDir: string, log: Logger) {
    this.#folder = dataDir;
    this.#path = join(dataDir, "identity.json");
    this.#log = log;
  }

  get identity(): Identity | undefined {
    return this.#identity;
  }

  /** The key for secrets on disk. There is one as soon as there is an identity. */
  get key(): Buffer {
    if (this.#key === undefined) throw new Error("there is no identity to seal secrets with");
    return this.#key;
  }

  async load(): Promise<void> {
    const loaded = await readJsonFile(this.#path, parseIdentity, this.#log);
    this.#identity = loaded?.identity;
    this.#key = loaded?.key;
  }

  async save(identity: Identity): Promise<void> {
    const key = this.#key ?? newKey();
    const sealedKey = seal(keyFromToken(identity.nodeToken), key, keyPlace);
    await writeFileAtomically(this.#path, JSON.stringify({ ...identity, sealedKey }, null, 2));
    this.#identity = identity;
    this.#key = key;
  }

  /** Makes this machine another one, after its disk was copied: the next `machineId` is new. */
  async forgetMachine(): Promise<void> {
    // The generations of the node that it was a copy of mean nothing to the new one.
    for (const name of ["installation-id", "state.json"]) {
      await rm(join(this.#folder, name), { force: true });
    }
  }

  /**
   * A stable id of this installation of the agent on this machine. A cloned disk keeps the random
   * part, but seldom the machine id.
   */
  async machineId(): Promise<string> {
    const path = join(this.#folder, "installation-id");
    let own = (await readIfPresent(path))?.trim() ?? "";
    if (own === "") {
      own = randomBytes(16).toString("hex");
      await writeFileAtomically(path, `${own}\n`);
    }
    const machine = await readFile("/etc/machine-id", "utf8").catch(() => "");
    return createHash("sha256").update(`${machine.trim()}\n${own}`).digest("hex");
  }
}

function parseIdentity(value: unknown): { readonly identity: Identity; readonly key: Buffer } {
  const record = recordOf(value);
  const identity: Identity = {
    server: stringOf(record["server"]),
    installationId: stringOf(record["installationId"]),
    nodeId: stringOf(record["nodeId"]),
    nodeToken: stringOf(record["nodeToken"]),
    environmentId: stringOf(record["environmentId"]),
    environmentName: stringOf(record["environmentName"]),
  };
  if (identity.nodeToken === "") throw new TypeError("expected a node token");
  const key = unseal(keyFromToken(identity.nodeToken), stringOf(record["sealedKey"]), keyPlace);
  return { identity, key };
}
