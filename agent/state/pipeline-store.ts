import { createHash } from "node:crypto";
import { mkdir, readdir, rm, unlink } from "node:fs/promises";
import { join } from "node:path";

import type { Logger } from "#common/logger.ts";

import type { ApplyPhase, Attempt, ConfigProblem, Effective } from "../process/pipeline-status.ts";
import { isUsableId, type CertificateFile, type PipelineBody } from "../reconcile/desired-state.ts";
import { readJsonFile, writeFileAtomically } from "./atomic-file.ts";
import { arrayOf, numberOf, recordOf, stringOf } from "./parse.ts";
import { seal, SealError, unseal } from "./sealed.ts";

/** What outlives the agent about one pipeline. */
export interface PipelineRecord {
  readonly name: string;
  readonly effective: Effective | undefined;
  readonly attempt: Attempt | undefined;
}

/** A process that runs, or ran when the agent died. */
export interface ProcessRecord {
  readonly pid: number;
  readonly startTime: string;
}

export type BodyLookup =
  | { readonly kind: "found"; readonly body: PipelineBody }
  | { readonly kind: "absent" }
  /** It is here, and sealed with another key. */
  | { readonly kind: "sealed" };

/** Where the files of one pipeline are. */
export interface PipelinePaths {
  readonly folder: string;
  /** Vector's data directory; kept across versions, and after the pipeline was removed. */
  readonly data: string;
  readonly config: string;
  readonly certificates: string;
}

/**
 * The files of all pipelines, a folder each. Bodies are stored under a digest of their hash, with
 * secrets and certificates sealed (P5).
 */
export class PipelineStore {
  readonly #root: string;
  readonly #key: () => Buffer;
  readonly #log: Logger;

  constructor(dataDir: string, key: () => Buffer, log: Logger) {
    this.#root = join(dataDir, "pipelines");
    this.#key = key;
    this.#log = log;
  }

  /** Ids of all pipelines that have a folder. */
  async ids(): Promise<readonly string[]> {
    await mkdir(this.#root, { recursive: true, mode: 0o700 });
    return (await readdir(this.#root)).filter(isUsableId);
  }

  paths(id: string): PipelinePaths {
    if (!isUsableId(id)) throw new Error(`unusable pipeline id ${JSON.stringify(id)}`);
    const folder = join(this.#root, id);
    return {
      folder,
      data: join(folder, "data"),
      config: join(folder, "vector.yaml"),
      certificates: join(folder, "certs"),
    };
  }

  async prepare(id: string): Promise<PipelinePaths> {
    const paths = this.paths(id);
    for (const path of [paths.data, this.#bodies(id)]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    return paths;
  }

  async loadRecord(id: string): Promise<PipelineRecord | undefined> {
    return await readJsonFile(this.#file(id, "pipeline.json"), parseRecord, this.#log);
  }

  async saveRecord(id: string, record: PipelineRecord): Promise<void> {
    await writeFileAtomically(this.#file(id, "pipeline.json"), JSON.stringify(record));
  }

  async saveBody(body: PipelineBody): Promise<void> {
    await this.prepare(body.pipelineId);
    const key = this.#key();
    const place = placeOf(body.pipelineId, body.hash);
    const secrets = [...body.secrets].map(([name, value]) => [
      name,
      seal(key, value, `${place}/secret/${name}`),
    ]);
    const certificates = body.certificates.map(({ name, filename, content }) => ({
      name,
      filename,
      content: seal(key, content, `${place}/certificate/${filename}`),
    }));
    const content = { ...body, secrets: Object.fromEntries(secrets), certificates };
    await writeFileAtomically(this.#bodyFile(body.pipelineId, body.hash), JSON.stringify(content));
  }

  /**
   * The body with this hash. One whose secrets cannot be opened, because the key was lost or is
   * another's, stays where it is: the right key may come back.
   */
  async loadBody(id: string, hash: string): Promise<BodyLookup> {
    const parse = (value: unknown): BodyLookup => {
      try {
        const body = parseBody(value, this.#key());
        if (body.pipelineId !== id || body.hash !== hash) throw new Error("another body's file");
        return { kind: "found", body };
      } catch (error) {
        if (error instanceof SealError) return { kind: "sealed" };
        throw error;
      }
    };
    const path = this.#bodyFile(id, hash);
    return (await readJsonFile(path, parse, this.#log)) ?? { kind: "absent" };
  }

  /** Deletes all bodies but those with these hashes. */
  async pruneBodies(id: string, keep: readonly string[]): Promise<void> {
    const kept = new Set(keep.map(fileOf));
    for (const name of await readdir(this.#bodies(id)).catch((): string[] => [])) {
      if (!kept.has(name)) await rm(join(this.#bodies(id), name), { force: true });
    }
  }

  /** Forgets a removed pipeline. Its data directory stays: buffers and checkpoints outlive it. */
  async forget(id: string): Promise<void> {
    const { folder, config, certificates } = this.paths(id);
    for (const path of [join(folder, "pipeline.json"), config, certificates, this.#bodies(id)]) {
      await rm(path, { recursive: true, force: true });
    }
  }

  async saveProcess(id: string, record: ProcessRecord): Promise<void> {
    await writeFileAtomically(this.#file(id, "process.json"), JSON.stringify(record));
  }

  async loadProcess(id: string): Promise<ProcessRecord | undefined> {
    const parse = (value: unknown): ProcessRecord => {
      const record = recordOf(value);
      return { pid: numberOf(record["pid"]), startTime: stringOf(record["startTime"]) };
    };
    return await readJsonFile(this.#file(id, "process.json"), parse, this.#log);
  }

  async clearProcess(id: string): Promise<void> {
    await unlink(this.#file(id, "process.json")).catch(() => {}); // Absent is what is wanted.
  }

  #file(id: string, name: string): string {
    return join(this.paths(id).folder, name);
  }

  #bodies(id: string): string {
    return join(this.paths(id).folder, "bodies");
  }

  #bodyFile(id: string, hash: string): string {
    return join(this.#bodies(id), fileOf(hash));
  }
}

/** A file name for a hash, which is any text. */
function fileOf(hash: string): string {
  return `${createHash("sha256").update(hash).digest("hex")}.json`;
}

function placeOf(id: string, hash: string): string {
  return `pipeline/${id}/${hash}`;
}

function parseBody(value: unknown, key: Buffer): PipelineBody {
  const record = recordOf(value);
  const pipelineId = stringOf(record["pipelineId"]);
  const hash = stringOf(record["hash"]);
  const place = placeOf(pipelineId, hash);
  const secrets = Object.entries(recordOf(record["secrets"])).map(
    ([name, sealed]) => [name, unseal(key, stringOf(sealed), `${place}/secret/${name}`)] as const,
  );
  const certificate = (item: unknown): CertificateFile => {
    const { name, filename, content } = recordOf(item);
    const file = stringOf(filename);
    const bytes = unseal(key, stringOf(content), `${place}/certificate/${file}`);
    return { name: stringOf(name), filename: file, content: bytes };
  };
  return {
    pipelineId,
    hash,
    configYaml: stringOf(record["configYaml"]),
    logLevel: stringOf(record["logLevel"]),
    secrets: new Map(secrets),
    certificates: arrayOf(record["certificates"], certificate),
  };
}

function parseEffective(value: unknown): Effective {
  const { hash, version, vectorVersion } = recordOf(value);
  return {
    hash: stringOf(hash),
    version: numberOf(version),
    vectorVersion: typeof vectorVersion === "string" ? vectorVersion : "",
  };
}

function parseProblem(value: unknown): ConfigProblem {
  const record = recordOf(value);
  return {
    componentId: stringOf(record["componentId"]),
    field: stringOf(record["field"]),
    message: stringOf(record["message"]),
  };
}

const phases: Readonly<Record<ApplyPhase, true>> = {
  none: true,
  received: true,
  validated: true,
  applying: true,
  applied: true,
  failed: true,
  rolled_back: true,
  removed: true,
};

function parsePhase(value: unknown): ApplyPhase {
  const phase = Object.keys(phases).find((name) => name === value);
  if (phase === undefined) throw new TypeError("expected a phase");
  return phase as ApplyPhase; // A key of the total table above.
}

function parseAttempt(value: unknown): Attempt {
  const record = recordOf(value);
  return {
    hash: stringOf(record["hash"]),
    version: numberOf(record["version"]),
    attempt: numberOf(record["attempt"]),
    phase: parsePhase(record["phase"]),
    reason: stringOf(record["reason"]),
    problems: arrayOf(record["problems"], parseProblem),
    logTail: arrayOf(record["logTail"], stringOf),
    gapMs: numberOf(record["gapMs"]),
  };
}

function parseRecord(value: unknown): PipelineRecord {
  const record = recordOf(value);
  const { effective, attempt } = record;
  return {
    name: stringOf(record["name"]),
    effective: effective === undefined ? undefined : parseEffective(effective),
    attempt: attempt === undefined ? undefined : parseAttempt(attempt),
  };
}
