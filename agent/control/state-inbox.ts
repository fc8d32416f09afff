import { bodyDigest } from "#common/body-digest.ts";
import type {
  DesiredState,
  PipelineBody as BodyMessage,
} from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import { isUsableId, type Manifest, type PipelineBody } from "../reconcile/desired-state.ts";
import { boundedText } from "../text.ts";
import { bodyFromProto, manifestFromProto } from "./control-proto.ts";
import * as limits from "./limits.ts";

/** A body that is not used, which costs its pipeline and nothing else (P12). */
export interface RefusedBody {
  readonly pipelineId: string;
  readonly reason: string;
}

export type Arrival =
  | {
      readonly kind: "complete";
      readonly manifest: Manifest;
      readonly bodies: readonly PipelineBody[];
      readonly refused: readonly RefusedBody[];
    }
  /** More messages belong to it. */
  | { readonly kind: "partial" }
  /** Nothing of it is used; what runs goes on. */
  | { readonly kind: "refused"; readonly reason: string };

const noBodies: readonly BodyMessage[] = [];

/**
 * Joins the messages of one desired state and judges it before anything of it is used. It holds the bodies of one
 * change at most, and of those only so many.
 */
export class StateInbox {
  #bodies: readonly BodyMessage[] = noBodies;
  #bytes = 0;
  #generation: bigint | undefined;
  #overflown = false;

  take(state: DesiredState): Arrival {
    // Parts of two generations are no state.
    if (this.#generation !== state.generation) this.#clear();
    this.#generation = state.generation;
    this.#bytes += state.bodies.reduce((sum, body) => sum + sizeOf(body), 0);
    this.#overflown ||= this.#bytes > limits.maximumChangeBytes;
    this.#bodies = this.#overflown ? noBodies : [...this.#bodies, ...state.bodies];
    if (!state.complete) return { kind: "partial" };
    const bodies = this.#bodies;
    const overflown = this.#overflown;
    this.#clear();
    if (overflown) return { kind: "refused", reason: "its configurations are too large together" };
    if (state.generation > limits.maximumGeneration) {
      // Accepted, it would fence every honest server off for good.
      return { kind: "refused", reason: "no server can have come to such a generation" };
    }
    if (state.manifest.length > limits.maximumPipelines) {
      const most = limits.maximumPipelines;
      return {
        kind: "refused",
        reason: `the manifest lists ${state.manifest.length} pipelines; one host takes ${most} at most`,
      };
    }
    return { kind: "complete", ...judge(state, bodies) };
  }

  #clear(): void {
    this.#bodies = noBodies;
    this.#bytes = 0;
    this.#overflown = false;
    this.#generation = undefined;
  }
}

function judge(state: DesiredState, messages: readonly BodyMessage[]) {
  const digests = new Map(
    state.manifest.map((entry) => [`${entry.pipelineId}/${entry.hash}`, entry.bodySha256]),
  );
  const bodies: PipelineBody[] = [];
  const refused: RefusedBody[] = [];
  for (const message of messages) {
    const digest = digests.get(`${message.pipelineId}/${message.hash}`);
    // Nobody asked for what the manifest does not list, and it would stay on the disk.
    if (digest === undefined || !isUsableId(message.pipelineId)) continue;
    const reason = problemOf(message, digest);
    if (reason === undefined) bodies.push(bodyFromProto(message));
    else refused.push({ pipelineId: message.pipelineId, reason: boundedText(reason, 500) });
  }
  return { manifest: manifestFromProto(state), bodies, refused };
}

/** Why a body must not be used. Without a digest, only what it is counts. */
export function problemOf(body: BodyMessage, digest: Uint8Array): string | undefined {
  if (Buffer.byteLength(body.configYaml) > limits.maximumConfigBytes) {
    return `the configuration is larger than ${limits.maximumConfigBytes / 1e6} MB`;
  }
  const secrets = Object.entries(body.secrets);
  if (secrets.length > limits.maximumSecrets) return "it has too many secrets";
  const large = secrets.find(([, value]) => value.length > limits.maximumSecretBytes);
  if (large !== undefined) return `the secret ${large[0]} is too large`;
  const certificates = certificateProblem(body);
  if (certificates !== undefined) return certificates;
  // An older server sends no digest.
  if (digest.length === 0 || bodyDigest({ ...body, secrets }).equals(digest)) return undefined;
  return "what came is not what the server says it sent: its digest differs";
}

/** File names may be anything: the files lie under digests of their contents. */
function certificateProblem({ certificates }: BodyMessage): string | undefined {
  if (certificates.length > limits.maximumCertificates) return "it has too many certificates";
  const names = new Set<string>();
  for (const { name, content } of certificates) {
    if (names.has(name)) return `two certificates are called ${name.slice(0, 200)}`;
    names.add(name);
    if (content.length > limits.maximumCertificateBytes) {
      return `the certificate ${name.slice(0, 200)} is too large`;
    }
  }
  return undefined;
}

function sizeOf({ configYaml, secrets, certificates }: BodyMessage): number {
  // Something for each item itself.
  let size = 1000 + Buffer.byteLength(configYaml);
  for (const [name, value] of Object.entries(secrets)) size += 100 + name.length * 3 + value.length;
  for (const { content } of certificates) size += 1000 + content.length;
  return size;
}
