/** A certificate or key that a configuration refers to as `certs/<filename>`. */
export interface CertificateFile {
  readonly name: string;
  readonly filename: string;
  readonly content: Uint8Array;
}

/** All that the agent must have to run one pipeline. */
export interface PipelineBody {
  readonly pipelineId: string;
  /** Opaque: made by the server, echoed by the agent. */
  readonly hash: string;
  readonly configYaml: string;
  readonly logLevel: string;
  readonly secrets: ReadonlyMap<string, Uint8Array>;
  readonly certificates: readonly CertificateFile[];
}

/** What one pipeline's process may use of the host; 0 is no limit. */
export interface ResourceLimits {
  readonly memoryBytes: number;
  /** 1.5 is one and a half cores. */
  readonly cpuCores: number;
}

export const noLimits: ResourceLimits = { memoryBytes: 0, cpuCores: 0 };

/** One pipeline that the node shall run. */
export interface ManifestEntry {
  readonly pipelineId: string;
  readonly name: string;
  readonly hash: string;
  readonly version: number;
  readonly attempt: number;
  readonly limits: ResourceLimits;
}

/** The complete list of what the node shall run (P1). */
export interface Manifest {
  readonly installationId: string;
  readonly generation: bigint;
  readonly maintenance: boolean;
  readonly entries: readonly ManifestEntry[];
}

/**
 * Whether a pipeline id may become the name of a folder. Ids come from the server; one that could
 * leave its folder is refused, and costs only itself (P12).
 */
export function isUsableId(id: string): boolean {
  return /^[A-Za-z0-9_-]{1,128}$/.test(id);
}
