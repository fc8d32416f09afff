import { Capability, type Hello } from "#gen/vectorflow/agent/v1/session_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { factsFromProto } from "./agent-proto.ts";
import { cleanName, counter } from "./text.ts";
import { VectorNode } from "./vector-node.entity.ts";

/** The newest version of the protocol that this server speaks. */
const protocolVersion = 1;

/** Writes what Hello says of the node. Returns its generation, and the highest that the agent has accepted (P10). */
export async function recordHello(
  deps: ServerDeps,
  node: VectorNode,
  hello: Hello,
  installationId: string,
): Promise<{ generation: number; highestGeneration: number }> {
  const { metadata, hostname, ...facts } = factsFromProto(hello.host);
  const em = deps.orm.em.fork();
  const [row] = await em.execute<{ generation: string }[]>(
    `select e."generation" + n."generation" as "generation" from "VectorNode" n
     join "Environment" e on e."id" = n."environmentId" where n."id" = ?`,
    [node.id],
  );
  const generation = Number(row?.generation ?? 0);
  const highest = counter(hello.highestGeneration);
  const highestGeneration = fenceOf(hello, installationId);
  if (hello.protocol > protocolVersion) {
    deps.log.info("an agent speaks a newer protocol", {
      nodeId: node.id,
      protocol: hello.protocol,
    });
  }
  const now = deps.clock.now();
  // Hello tells of every pipeline on the host: what it does not name was removed while nobody listened.
  await em.execute(
    `delete from "NodePipelineStatus" where "nodeId" = ? and not "pipelineId" = any (string_to_array(?, ','))`,
    [node.id, hello.reports.map(({ pipelineId }) => cleanName(pipelineId, 100)).join(",")],
  );
  await em.nativeUpdate(
    VectorNode,
    { id: node.id },
    {
      ...facts,
      host: hostname,
      metadata,
      capabilities: capabilityNames(hello.capabilities),
      reportedGeneration: highest,
      fenced: highestGeneration > generation,
      lastSeen: now,
      changedAt: now,
    },
  );
  return { generation, highestGeneration };
}

/** The generation from which the agent will listen again. */
export function fenceOf(
  refusal: { readonly highestGeneration: bigint; readonly installationId: string },
  installationId: string,
): number {
  const foreign = refusal.installationId !== "" && refusal.installationId !== installationId;
  return foreign ? Infinity : Number(refusal.highestGeneration);
}

/** Names of what this server knows an agent may be able to do. */
function capabilityNames(capabilities: readonly Capability[]): string[] {
  return Object.entries(Capability)
    .filter(([name, capability]) => name !== "UNSPECIFIED" && capabilities.includes(capability))
    .map(([name]) => name);
}

export async function recordFacts(
  deps: ServerDeps,
  nodeId: string,
  host: Parameters<typeof factsFromProto>[0],
): Promise<void> {
  const { metadata, hostname, ...facts } = factsFromProto(host);
  const changedAt = deps.clock.now();
  await deps.orm.em
    .fork()
    .nativeUpdate(VectorNode, { id: nodeId }, { ...facts, host: hostname, metadata, changedAt })
    .catch((error: unknown) =>
      deps.log.error("cannot store the facts of a host", { nodeId, error }),
    );
}

export async function recordFence(
  deps: ServerDeps,
  nodeId: string,
  highest: number,
): Promise<void> {
  const changes = { fenced: true, reportedGeneration: highest, changedAt: deps.clock.now() };
  await deps.orm.em
    .fork()
    .nativeUpdate(VectorNode, { id: nodeId }, changes)
    .catch((error: unknown) => deps.log.error("cannot store a fence", { nodeId, error }));
}
