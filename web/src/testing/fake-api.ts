import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";

import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { ComponentSchemaService } from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService } from "#gen/vectorflow/v1/live_service_pb.ts";
import { LogService } from "#gen/vectorflow/v1/log_service_pb.ts";
import { MetricService } from "#gen/vectorflow/v1/metric_service_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { millisOf, toTimestamp } from "../lib/time.ts";
import { fakeInspectionService } from "./fake-inspection-service.ts";
import { fakeAccessRoutes, fakeCode } from "./fake-access.ts";
import { fakeDeliveryRoutes } from "./fake-delivery.ts";
import { fakePage } from "./fake-page.ts";
import { fakeImportRoutes, fakeLifecycleRoutes, fakePreviewRoutes } from "./fake-lifecycle.ts";
import { fakePipelineService } from "./fake-pipeline-service.ts";
import { fakeSecretRoutes } from "./fake-secrets.ts";
import { fakeSnippetRoutes } from "./fake-snippets.ts";
import { fakeTemplateRoutes } from "./fake-templates.ts";
import { fakeVariableRoutes } from "./fake-variables.ts";
import { fakeTail, fakeWatch } from "./fake-streams.ts";
import { fakeTrialRoutes } from "./fake-trials.ts";
import { failure, type FakeWorld } from "./fake-world.ts";

/** The user API over a fake world: the same services, codes and streams as the server's. */
export function fakeRoutes(world: FakeWorld): (router: ConnectRouter) => void {
  return (router) => {
    router.service(AuthService, authService(world));
    fakeAccessRoutes(router, world);
    router.service(EnvironmentService, {
      listEnvironments(request) {
        world.enter("listEnvironments");
        return fakePage(world, request, world.environments, (environments) => ({ environments }));
      },
      getEnvironment({ id }) {
        return { environment: world.environments.find((environment) => environment.id === id) };
      },
      listRefusedEnrollments(request) {
        world.enter("listRefusedEnrollments");
        return fakePage(world, request, world.refusals, (refusals) => ({ refusals }));
      },
      createEnrollmentToken() {
        world.enter("createEnrollmentToken");
        world.enrollmentTokens++;
        const token = `vfe_${"k".repeat(20)}${world.enrollmentTokens}`;
        return {
          token,
          enrollCommand: `curl -fsSL http://vectorflow.example.net:8080/install.sh | sudo sh -s -- --token ${token}`,
          agentUrl: "http://vectorflow.example.net:8081",
        };
      },
    });
    router.service(NodeService, nodeService(world));
    fakeSecretRoutes(router, world);
    fakeVariableRoutes(router, world);
    fakeTemplateRoutes(router, world);
    fakeSnippetRoutes(router, world);
    fakeDeliveryRoutes(router, world);
    fakeLifecycleRoutes(router, world);
    fakeTrialRoutes(router, world);
    fakeImportRoutes(router, world);
    fakePreviewRoutes(router, world);
    router.service(fakePipelineService.descriptor, fakePipelineService.create(world));
    router.service(ComponentSchemaService, {
      getComponentCatalogue: () => ({
        types: [
          { kind: ComponentKind.SOURCE, type: "stdin", title: "Stdin" },
          { kind: ComponentKind.SINK, type: "console", description: "Writes to its terminal." },
        ],
      }),
      getComponentForm: () => ({}),
    });
    router.service(fakeInspectionService.descriptor, fakeInspectionService.create(world));
    router.service(MetricService, {
      queryNodeMetrics: ({ startTime, endTime }) =>
        fakeSeries(millisOf(startTime) ?? 0, millisOf(endTime) ?? 0, hostSeries),
      queryPipelineMetrics: ({ startTime, endTime }) =>
        fakeSeries(millisOf(startTime) ?? 0, millisOf(endTime) ?? 0, pipelineSeries),
    });
    router.service(LogService, {
      listNodeLogs({ nodeId, minimumLevel, search }) {
        const lines = world.logs.filter(
          (line) =>
            line.nodeId === nodeId && line.level >= minimumLevel && line.text.includes(search),
        );
        return { lines: lines.toReversed() };
      },
      listPipelineLogs({ pipelineId, minimumLevel, search }) {
        const lines = [...world.storedLogs, ...world.logs].filter(
          (line) =>
            line.pipelineId === pipelineId &&
            line.level >= minimumLevel &&
            line.text.includes(search),
        );
        return { lines: lines.toReversed() };
      },
      tailPipelineLogs: (request, context) =>
        fakeTail(
          world,
          "tailPipelineLogs",
          (line) => line.pipelineId === request.pipelineId && line.level >= request.minimumLevel,
          context.signal,
        ),
      tailNodeLogs: (request, context) =>
        fakeTail(
          world,
          "tailNodeLogs",
          (line) => line.nodeId === request.nodeId && line.level >= request.minimumLevel,
          context.signal,
        ),
    });
    router.service(LiveService, {
      watch: (request, context) => fakeWatch(world, request, context.signal),
    });
  };
}

function authService(world: FakeWorld) {
  return {
    getSetupState: () => ({
      setupRequired: world.setupRequired,
      version: "0.1.0",
      singleSignOnName: world.access.authentication.enabled
        ? world.access.authentication.displayName
        : "",
    }),
    completeSetup(request: { setupToken: string; email: string; createDemoPipeline: boolean }) {
      world.enter("completeSetup", { public: true });
      if (request.setupToken !== world.setupToken) {
        throw failure(Code.PermissionDenied, "the setup token is wrong", "wrong_setup_token");
      }
      world.setupRequired = false;
      world.signedIn = true;
      return { user: world.user, environmentId: "env-1", demoPipelineId: "" };
    },
    login(request: { email: string; password: string; code: string }) {
      world.enter("login", { public: true });
      if (request.email !== world.user.email || request.password !== world.password) {
        throw failure(Code.Unauthenticated, "wrong e-mail or password", "wrong_credentials");
      }
      if (world.user.secondFactor && request.code === "") {
        const text = "enter the code of your authenticator app";
        throw failure(Code.Unauthenticated, text, "second_factor_needed");
      }
      if (world.user.secondFactor && request.code !== fakeCode) {
        const text = "the code is wrong or was used already";
        throw failure(Code.Unauthenticated, text, "second_factor_wrong");
      }
      world.signedIn = true;
      return { user: world.user, sessionToken: "token" };
    },
    logout() {
      world.signedIn = false;
      return {};
    },
    getSession() {
      world.enter("getSession");
      return { user: world.user };
    },
  };
}

function nodeService(world: FakeWorld) {
  const hostOf = (id: string) => {
    const host = world.hosts.get(id);
    if (host === undefined) throw new ConnectError(`no node ${id}`, Code.NotFound);
    return host;
  };
  return {
    getNode({ id }: { id: string }) {
      world.enter("getNode");
      const pipelines = [...world.pipelines.values()].flatMap(
        ({ statuses }) => statuses.get(id) ?? [],
      );
      const policy = world.hostPolicies.get(id);
      return { node: hostOf(id), pipelines, ...(policy && { policy }) };
    },
    updateNode(request: {
      id: string;
      maintenance?: boolean | undefined;
      labels?: { labels: Record<string, string> } | undefined;
    }) {
      world.enter("updateNode");
      const node = world.putHost({
        ...hostOf(request.id),
        ...(request.maintenance !== undefined && { maintenance: request.maintenance }),
        ...(request.labels && { labels: request.labels.labels }),
      });
      return { node };
    },
    deleteNode({ id }: { id: string }) {
      world.enter("deleteNode");
      world.removeHost(hostOf(id).id);
      return {};
    },
  };
}

type Curve = readonly [name: string, value: (phase: number) => number];

const gib = 1024 ** 3;
const pipelineSeries: readonly Curve[] = [
  ["events_in", (phase) => 900 + 240 * Math.sin(phase * 9) + 60 * Math.sin(phase * 71)],
  ["events_out", (phase) => 860 + 230 * Math.sin(phase * 9) + 50 * Math.sin(phase * 67)],
  ["errors", (phase) => (phase > 0.6 && phase < 0.66 ? 14 : 0)],
  ["discarded", (phase) => 40 + 8 * Math.sin(phase * 30)],
];
const hostSeries: readonly Curve[] = [
  ["cpu_ratio", (phase) => 0.2 + 0.12 * Math.sin(phase * 12) + 0.03 * Math.sin(phase * 80)],
  ["memory_used_bytes", (phase) => (3 + 0.6 * Math.sin(phase * 5)) * gib],
  ["memory_total_bytes", () => 8 * gib],
  ["disk_used_bytes", (phase) => (41 + 3 * phase) * gib],
  ["disk_total_bytes", () => 100 * gib],
  ["received_bytes", (phase) => 2e6 + 1e6 * Math.sin(phase * 20)],
  ["sent_bytes", (phase) => 1.4e6 + 7e5 * Math.sin(phase * 20)],
];

/** Curves with a gap in them, so that gaps are seen. */
function fakeSeries(startMs: number, endMs: number, curves: readonly Curve[]) {
  const pointCount = 300;
  const stepSeconds = Math.max(1, Math.round((endMs - startMs) / 1000 / pointCount));
  const inGap = (index: number): boolean => index > 100 && index < 115;
  return {
    axis: { startTime: toTimestamp(startMs), stepSeconds, pointCount },
    series: curves.map(([name, valueAt]) => ({
      name,
      values: Array.from({ length: pointCount }, (_, index) =>
        inGap(index) ? Number.NaN : valueAt(index / pointCount),
      ),
    })),
  };
}
