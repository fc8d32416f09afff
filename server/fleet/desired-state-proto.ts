import { create, toBinary } from "@bufbuild/protobuf";
import { SessionResponseSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import {
  DesiredStateSchema,
  PipelineBodySchema,
  type PipelineBody,
} from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import { bodyDigest } from "#common/body-digest.ts";
import type { StateEncoder } from "./agent-session.ts";
import type { DesiredPipeline, EnvironmentState } from "./desired-state.ts";

/** All that an agent gets to run a pipeline. */
function bodyOf({ configYaml, logLevel, secrets, certificates }: DesiredPipeline) {
  return {
    configYaml,
    logLevel: logLevel ?? "",
    secrets: [...secrets],
    certificates: [...certificates],
  };
}

/** A state that was read once goes to many nodes. */
const digests = new WeakMap<DesiredPipeline, Buffer>();

function digestOf(pipeline: DesiredPipeline): Buffer {
  const known = digests.get(pipeline) ?? bodyDigest(bodyOf(pipeline));
  digests.set(pipeline, known);
  return known;
}

/** Bodies beyond this go into further messages; gRPC refuses messages over 4 MiB by default. */
const messageBytes = 2_000_000;

/**
 * The messages that bring an agent to a state, ready to be sent: many agents lack the same bodies, so the
 * bytes are made once and shared.
 */
export function desiredStateMessages(
  installationId: string,
  environment: EnvironmentState,
  node: { readonly generation: number; readonly maintenance: boolean },
  missing: readonly DesiredPipeline[],
): Buffer[] {
  const bodies = missing.map((pipeline) =>
    create(PipelineBodySchema, {
      pipelineId: pipeline.pipelineId,
      hash: pipeline.hash,
      ...bodyOf(pipeline),
      secrets: Object.fromEntries(pipeline.secrets),
    }),
  );
  const groups: PipelineBody[][] = [[]];
  let size = 0;
  for (const body of bodies) {
    const bodyBytes = toBinary(PipelineBodySchema, body).length;
    if (size > 0 && size + bodyBytes > messageBytes) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(body);
    size += bodyBytes;
  }
  return groups.map((group, index) => {
    const value = create(DesiredStateSchema, {
      generation: BigInt(environment.generation + node.generation),
      installationId,
      bodies: group,
      complete: index === groups.length - 1,
      maintenance: node.maintenance,
      manifest: node.maintenance
        ? []
        : environment.pipelines.map((pipeline) => ({
            pipelineId: pipeline.pipelineId,
            name: pipeline.name,
            hash: pipeline.hash,
            version: pipeline.version,
            attempt: pipeline.attempt,
            // No body goes with one that is not complete.
            bodySha256: pipeline.complete ? digestOf(pipeline) : new Uint8Array(),
            memoryLimitBytes: BigInt(pipeline.memoryLimitMib) * 1_048_576n,
            cpuLimitCores: pipeline.cpuLimitCores,
          })),
    });
    const message = create(SessionResponseSchema, { message: { case: "desiredState", value } });
    return Buffer.from(toBinary(SessionResponseSchema, message));
  });
}

const maximumKeptBytes = 64_000_000;

/** Keeps the newest few encodings: at a deploy, all agents of an environment lack the same body. */
export function sharedEncoder(installationId: string): StateEncoder {
  const cache = new Map<string, Buffer[]>();
  let keptBytes = 0;
  const sizeOf = (parts: readonly Buffer[]): number =>
    parts.reduce((sum, { length }) => sum + length, 0);
  return (environment, node, missing) => {
    const key = JSON.stringify([
      environment.environmentId,
      environment.generation,
      node.generation,
      node.maintenance,
      environment.pipelines.map(({ pipelineId }) => pipelineId),
      ...missing.map(({ hash }) => hash),
    ]);
    const known = cache.get(key);
    if (known !== undefined) return known;
    const bytes = desiredStateMessages(installationId, environment, node, missing);
    cache.set(key, bytes);
    keptBytes += sizeOf(bytes);
    for (const [oldest, parts] of cache) {
      if (cache.size <= 32 && (keptBytes <= maximumKeptBytes || oldest === key)) break;
      cache.delete(oldest);
      keptBytes -= sizeOf(parts);
    }
    return bytes;
  };
}
