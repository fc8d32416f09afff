import { join } from "node:path";

import type { Logger } from "#common/logger.ts";

import {
  noLimits,
  type Manifest,
  type ManifestEntry,
  type ResourceLimits,
} from "../reconcile/desired-state.ts";
import { readJsonFile, writeFileAtomically } from "./atomic-file.ts";
import { arrayOf, numberOf, recordOf, stringOf } from "./parse.ts";

/** Keeps the last accepted manifest, and with it the highest generation (P5, P10). */
export class NodeStateStore {
  readonly #path: string;
  readonly #log: Logger;
  #manifest: Manifest | undefined;

  constructor(dataDir: string, log: Logger) {
    this.#path = join(dataDir, "state.json");
    this.#log = log;
  }

  /** The last accepted manifest; undefined before the first. */
  get manifest(): Manifest | undefined {
    return this.#manifest;
  }

  async load(): Promise<void> {
    this.#manifest = await readJsonFile(this.#path, parseManifest, this.#log);
  }

  async save(manifest: Manifest): Promise<void> {
    const content = { ...manifest, generation: String(manifest.generation) };
    await writeFileAtomically(this.#path, JSON.stringify(content));
    this.#manifest = manifest;
  }
}

export function parseEntry(value: unknown): ManifestEntry {
  const record = recordOf(value);
  return {
    pipelineId: stringOf(record["pipelineId"]),
    name: stringOf(record["name"]),
    hash: stringOf(record["hash"]),
    version: numberOf(record["version"]),
    attempt: numberOf(record["attempt"]),
    limits: record["limits"] === undefined ? noLimits : parseLimits(record["limits"]),
  };
}

function parseLimits(value: unknown): ResourceLimits {
  const { memoryBytes, cpuCores } = recordOf(value);
  return { memoryBytes: numberOf(memoryBytes), cpuCores: numberOf(cpuCores) };
}

function parseManifest(value: unknown): Manifest {
  const record = recordOf(value);
  return {
    installationId: stringOf(record["installationId"]),
    generation: BigInt(stringOf(record["generation"])),
    maintenance: record["maintenance"] === true,
    entries: arrayOf(record["entries"], parseEntry),
  };
}
