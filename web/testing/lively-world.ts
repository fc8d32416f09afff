import { create } from "@bufbuild/protobuf";

import { TappedEventSchema } from "#gen/vectorflow/v1/inspection_pb.ts";
import { LogLevel } from "#gen/vectorflow/v1/log_pb.ts";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { DeployStep, ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { toTimestamp } from "../src/lib/time.ts";
import { demoYaml } from "../src/pipelines/templates.ts";
import { aHost, aLogLine, aStatus } from "../src/testing/builders.ts";
import { FakeWorld } from "../src/testing/fake-world.ts";
import { addLibrary } from "./lively-library.ts";

const tickMs = 1_000;
const sites = ["edge-fra", "edge-ams", "core-fra", "db-ams", "gw-lis"];

/** A fleet in which things go on: rates move, deploys proceed, lines are logged, one host is ill. */
export function createLivelyWorld(hostCount: number): FakeWorld {
  const world = new FakeWorld();
  for (let index = 0; index < hostCount; index++) {
    const site = sites[index % sites.length];
    const ill = index % 17 === 3;
    const away = index % 23 === 5;
    world.putHost(
      aHost({
        name: `${site}-${String(Math.floor(index / sites.length) + 1).padStart(2, "0")}`,
        simulated: index % 5 === 0,
        status: away ? NodeStatus.UNREACHABLE : ill ? NodeStatus.DEGRADED : NodeStatus.HEALTHY,
        reasons: away
          ? ["no heartbeat for 4 min"]
          : ill
            ? ["pipeline auth-logs: held on previous version"]
            : [],
        maintenance: index === 8,
        labels: { site: String(site), tier: index % 2 === 0 ? "gold" : "silver" },
        reportedLabels: { "cloud.region": "eu-central-1" },
        pipelinesRunning: ill ? 1 : 2,
        pipelinesTotal: 2,
        vectorVersion: index % 7 === 0 ? "0.55.0" : "0.58.0",
        lastSeenTime: toTimestamp(Date.now() - (away ? 240_000 : 3_000)),
      }),
    );
  }
  addPipelines(world);
  addLibrary(world);
  world.inspection.events = [demoEvent(200), demoEvent(404), demoEvent(503)];
  world.inspection.shortfall = "3 of 5 events came within 10 s";
  setInterval(() => tick(world), tickMs);
  return world;
}

function addPipelines(world: FakeWorld): void {
  const names = ["auth-logs", "edge-metrics", "k8s-events", "nginx-access", "payments-audit"];
  for (const [index, name] of names.entries()) {
    const id = `pipe-${index + 1}`;
    const pipeline = world.putPipeline({ id, name, yaml: demoYaml, deployed: index !== 2 });
    if (index === 2) continue;
    pipeline.live.nodesDesired = world.hosts.size;
    pipeline.live.nodesRunning = world.hosts.size - (index === 0 ? 3 : 0);
    pipeline.live.nodesCurrent = pipeline.live.nodesRunning;
    pipeline.live.worstState = index === 0 ? ProcessState.HELD : ProcessState.RUNNING;
    pipeline.live.simulated = true;
    if (index === 3) {
      pipeline.yaml = `${demoYaml}\n# a change\n`;
      if (pipeline.live.summary) pipeline.live.summary.changed = true;
    }
    for (const host of world.hosts.values()) {
      const held = index === 0 && host.status === NodeStatus.DEGRADED;
      world.putStatus(
        aStatus({
          nodeId: host.id,
          nodeName: host.name,
          pipelineId: id,
          pipelineName: name,
          ...(held && {
            state: ProcessState.HELD,
            step: DeployStep.ROLLED_BACK,
            effectiveVersion: 0,
            reason: "sink print did not become healthy within 20 s",
            logTail: [
              'ERROR vector::topology: Configuration error. error=Sink "print": connection refused',
              "INFO vector::app: Rolled back to the previous configuration.",
            ],
          }),
        }),
      );
    }
  }
}

function tick(world: FakeWorld): void {
  const seconds = Date.now() / 1000;
  for (const [index, pipeline] of [...world.pipelines.values()].entries()) {
    if (pipeline.live.summary?.draft) continue;
    const base = 400 * (index + 1) + 90 * Math.sin(seconds / 7 + index) + 30 * Math.random();
    pipeline.live = {
      ...pipeline.live,
      rates: {
        $typeName: "vectorflow.v1.PipelineRates",
        eventsIn: base,
        eventsOut: base * 0.96,
        bytesIn: base * 310,
        bytesOut: base * 280,
        errors: index === 1 ? 2.4 : 0,
        discarded: base * 0.03,
        time: undefined,
      },
      components: (pipeline.live.summary?.components ?? []).map(({ key, kind }) => ({
        $typeName: "vectorflow.v1.ComponentRates" as const,
        key,
        kind,
        eventsIn: base,
        eventsOut: base * 0.97,
        bytesIn: base * 310,
        bytesOut: base * 280,
        errors: 0,
        discarded: base * 0.03,
      })),
    };
    for (const status of pipeline.statuses.values()) advance(world, status);
  }
  for (const host of world.hosts.values()) {
    if (host.status === NodeStatus.UNREACHABLE || Math.random() > 0.3) continue;
    const usage = host.usage && {
      ...host.usage,
      cpuRatio: Math.min(1, Math.max(0.01, host.usage.cpuRatio + (Math.random() - 0.48) / 15)),
    };
    world.hosts.set(host.id, { ...host, usage, lastSeenTime: toTimestamp(Date.now()) });
  }
  const level = Math.random() > 0.9 ? LogLevel.ERROR : LogLevel.INFO;
  world.logs.push(
    aLogLine({
      level,
      nodeId: "edge-fra-01",
      nodeName: "edge-fra-01",
      componentKey: "print",
      text:
        level === LogLevel.ERROR
          ? "Service call failed. No retries or retries exhausted. error=connection refused"
          : '{"host":"10.2.14.7","method":"GET","request":"/apps/deploy","status":200,"bytes":4211}',
    }),
  );
  world.inspection.tap({
    events: [200, 404].map((code) =>
      create(TappedEventSchema, { componentKey: "parse", json: demoEvent(code) }),
    ),
  });
  world.inspection.top({ content: new TextEncoder().encode(topScreen()) });
  world.publish({
    nodes: [...world.hosts.values()],
    pipelines: [...world.pipelines.values()].map(({ live }) => live),
  });
}

function demoEvent(status: number): string {
  const bytes = Math.round(Math.random() * 1e4);
  return `{"host":"10.2.14.7","method":"GET","request":"/apps/deploy","status":${status},"bytes":${bytes},"took":${(bytes / 8e3).toFixed(1)},"user":{"name":"anna","password":"[redacted]"},"tags":["edge","eu"]}`;
}

/** What `vector top` could show: a table drawn from the top left corner. */
function topScreen(): string {
  const row = (id: string, kind: string): string =>
    `${id.padEnd(16)}${kind.padEnd(12)}${String(Math.round(400 + Math.random() * 90)).padStart(10)}/s\r\n`;
  const head = `\u001b[7m${"ID".padEnd(16)}${"KIND".padEnd(12)}${"EVENTS OUT".padStart(12)}\u001b[0m\r\n`;
  return `\u001b[H${head}${row("demo", "source")}${row("parse", "transform")}${row("print", "sink")}`;
}

const next: Partial<Record<DeployStep, DeployStep>> = {
  [DeployStep.WAITING]: DeployStep.RECEIVED,
  [DeployStep.RECEIVED]: DeployStep.VALIDATED,
  [DeployStep.VALIDATED]: DeployStep.APPLYING,
  [DeployStep.APPLYING]: DeployStep.HEALTHY,
};

function advance(world: FakeWorld, status: ReturnType<typeof aStatus>): void {
  const step = next[status.step];
  if (step === undefined || Math.random() > 0.6) return;
  world.putStatus({
    ...status,
    step,
    attemptedVersion: status.desiredVersion,
    ...(step === DeployStep.HEALTHY && {
      state: ProcessState.RUNNING,
      effectiveVersion: status.desiredVersion,
    }),
  });
}
