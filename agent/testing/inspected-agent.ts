import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { expect, vi } from "vitest";
import { SessionRequestSchema } from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { isListening } from "../process/connections.ts";
import { isRealVector, patience, type RunningPipeline } from "./run-pipeline.ts";

/** A pipeline whose events hold secrets. */
export const pipelineYaml = (more = ""): string => `sources:
  in:
    type: demo_logs
    format: json
    interval: 0.02
transforms:
  shaped:
    type: remap
    inputs: [in]
    source: |
      .message = "hello"
      .count = 1
      .ratio = 1.5
      .list = [{"id": 1}, {"id": "x"}]
      .password = "hunter2"
      .note = "card 4111-1111-1111-1111, login password=hunter2"
      .owner = {"mail": "someone@example.com"}
${isRealVector ? '      set_secret("sim_api_key", "sim-metadata-secret")\n' : ""}${more}sinks:
  out:
    type: blackhole
    inputs: [shaped]
`;

/** What must never leave the host. */
export const never = ["hunter2", "sim-metadata-secret", "someone@example.com", "4111-1111"];
export const redaction = { fieldGlobs: ["owner.mail"], valuePatterns: ["\\d{4}(-\\d{4}){3}"] };

export async function apiPort(agent: RunningPipeline): Promise<number> {
  const config = await readFile(join(agent.folder, "pipelines/p1/vector.yaml"), "utf8");
  expect(config).toContain("enabled: false");
  return Number(/address: 127\.0\.0\.1:(\d+)/.exec(config.slice(config.indexOf("\napi:")))?.[1]);
}

export const closed = (port: number) =>
  vi.waitFor(async () => expect(await isListening(port)).toBe(false), patience);

export async function sampled(agent: RunningPipeline, id: string) {
  await vi.waitFor(
    () =>
      expect(
        agent.plane.sent("commandResult").find(({ commandId }) => commandId === id),
      ).toBeDefined(),
    patience,
  );
  const results = agent.plane.sent("sampleResult").filter(({ commandId }) => commandId === id);
  return {
    events: results.flatMap(({ events }) => events),
    components: results.flatMap(({ components }) => components),
    error: results.at(-1)?.error ?? "",
    messages: results.length,
    status: agent.plane.sent("commandResult").find(({ commandId }) => commandId === id)?.status,
  };
}

export function sample(
  agent: RunningPipeline,
  id: string,
  componentIds: string[],
  more = {},
): void {
  const value = { pipelineId: "p1", componentIds, redaction, ...more };
  agent.plane.send({ case: "command", value: { id, kind: { case: "sample", value } } });
}

export function tapped(agent: RunningPipeline, id: string) {
  const messages = agent.plane.sent("tapEvents").filter(({ tapId }) => tapId === id);
  return {
    started: messages.some(({ started }) => started),
    events: messages.flatMap(({ events }) => events),
    dropped: messages.reduce((sum, { droppedEvents }) => sum + Number(droppedEvents), 0),
    ended: messages.find(({ endedReason }) => endedReason !== "")?.endedReason,
  };
}

export function startTap(
  agent: RunningPipeline,
  tapId: string,
  componentIds: string[],
  more = {},
): void {
  const value = { tapId, pipelineId: "p1", componentIds, intervalMs: 100, redaction, ...more };
  agent.plane.send({ case: "tapStart", value });
}

export const ended = (agent: RunningPipeline, id: string) =>
  vi.waitFor(() => {
    const reason = tapped(agent, id).ended;
    expect(reason).toBeDefined();
    return reason ?? "";
  }, patience);

/** Everything that went over the wire, as bytes. */
export function wire(agent: RunningPipeline): string {
  return agent.plane.messages
    .map((message) => Buffer.from(toBinary(SessionRequestSchema, message)).toString("latin1"))
    .join("\n");
}
