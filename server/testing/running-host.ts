import { expect } from "vitest";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import { DeployStep } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { eventually } from "./eventually.ts";
import { FakeAgent } from "./fake-agent.ts";
import type { TestServer } from "./test-server.ts";

export const demoYaml = `sources:
  in:
    type: demo_logs
    format: json
sinks:
  out:
    type: blackhole
    inputs: [in]
`;

/** One deployed pipeline that a host says it runs, with an agent that can be looked into. */
export interface RunningHost extends AsyncDisposable {
  readonly agent: FakeAgent;
  readonly pipelineId: string;
  readonly nodeId: string;
}

/** Deploys the demo pipeline to one host, and waits until it is healthy there. */
export async function startRunningHost(
  server: TestServer,
  admin: {
    readonly token: string;
    readonly environmentId: string;
    readonly enrollmentToken: string;
  },
  capabilities: readonly Capability[] = [
    Capability.SAMPLE,
    Capability.TAP,
    Capability.TERMINAL,
    Capability.CHECK_CONFIG,
  ],
): Promise<RunningHost> {
  const pipelines = server.client(PipelineService, admin.token);
  const { environmentId } = admin;
  const draft = { environmentId, name: "Logs", yaml: demoYaml };
  const { pipeline } = await pipelines.createPipeline(draft);
  const pipelineId = pipeline?.summary?.id ?? "";
  const agent = new FakeAgent(server.server.agentUrl, "host");
  agent.capabilities = [...capabilities];
  await agent.enroll(admin.enrollmentToken);
  await agent.connect();
  await pipelines.deployPipeline({ id: pipelineId });
  await eventually(() => expect(agent.held.has(pipelineId)).toBe(true));
  agent.heartbeat();
  const nodeId = agent.identity?.nodeId ?? "";
  const nodes = server.client(NodeService, admin.token);
  await eventually(async () => {
    const { nodes: statuses } = await pipelines.getPipeline({ id: pipelineId });
    expect(statuses[0]?.step).toBe(DeployStep.HEALTHY);
    const { node } = await nodes.getNode({ id: nodeId });
    expect([NodeStatus.HEALTHY, NodeStatus.DEGRADED]).toContain(node?.status);
  });
  return { agent, pipelineId, nodeId, [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose]() };
}
