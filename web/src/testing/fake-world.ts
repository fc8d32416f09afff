import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import { CurrentUserSchema, type CurrentUser } from "#gen/vectorflow/v1/auth_pb.ts";
import {
  EnvironmentSchema,
  type Environment,
  type RefusedEnrollment,
} from "#gen/vectorflow/v1/environment_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import {
  WatchResponseSchema,
  type PipelineLive,
  type WatchResponse,
} from "#gen/vectorflow/v1/live_service_pb.ts";
import type { LogLine } from "#gen/vectorflow/v1/log_pb.ts";
import type { HostPolicy, Node } from "#gen/vectorflow/v1/node_pb.ts";
import {
  ComponentKind,
  PipelineState,
  PipelineVersionSchema,
  Severity,
  type NodePipelineStatus,
  type PipelineVersion,
  type Problem,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { PolicyRefusal } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { findComponents } from "../pipelines/editor/outline.ts";
import { FakeAccess } from "./fake-access-state.ts";
import { aPipelineLive, aProblem } from "./builders.ts";
import { FakeInspection } from "./fake-inspection-service.ts";
import { FakeSecrets } from "./fake-secrets-state.ts";
import { FakeTrials } from "./fake-trials.ts";
import { FakeTemplates } from "./fake-templates-state.ts";
import { FakeVariables } from "./fake-variables-state.ts";

export interface FakePipeline {
  live: PipelineLive;
  yaml: string;
  revision: number;
  deployedYaml: string;
  versions: PipelineVersion[];
  statuses: Map<string, NodePipelineStatus>;
}

const kinds = {
  sources: ComponentKind.SOURCE,
  transforms: ComponentKind.TRANSFORM,
  sinks: ComponentKind.SINK,
};

/** What the fake service knows, and how it changes. Watchers hear of every change. */
export class FakeWorld {
  setupRequired = false;
  setupToken = "setup-token";
  signedIn = true;
  password = "correct horse";
  enrollmentTokens = 0;
  /** Rows that a page of a list has at most. */
  largestPage = 500;
  user: CurrentUser = create(CurrentUserSchema, {
    id: "user-1",
    email: "anna@example.net",
    name: "Anna Berg",
    superAdmin: true,
    hasPassword: true,
    memberships: [{ teamId: "team-1", teamName: "Platform", role: Role.ADMIN }],
  });
  environments: Environment[] = [
    create(EnvironmentSchema, {
      id: "env-1",
      name: "Production",
      teamId: "team-1",
      teamName: "Platform",
      role: Role.ADMIN,
    }),
  ];
  readonly access = new FakeAccess();
  readonly secrets = new FakeSecrets();
  readonly variables = new FakeVariables();
  readonly templates = new FakeTemplates();
  readonly hosts = new Map<string, Node>();
  readonly pipelines = new Map<string, FakePipeline>();
  readonly logs: LogLine[] = [];
  /** Lines from before the tail. */
  readonly storedLogs: LogLine[] = [];
  /** Newest first. */
  refusals: RefusedEnrollment[] = [];
  /** By host id. */
  readonly hostPolicies = new Map<string, HostPolicy>();
  readonly policyRefusals: PolicyRefusal[] = [];
  /** Secrets that the other environments lack. */
  readonly missingThere: string[] = [];
  /** Pipelines that were promoted, with where to. */
  readonly promoted: string[] = [];
  readonly inspection = new FakeInspection();
  readonly trials = new FakeTrials();
  /** Questions to hosts that wait for their next answer. */
  readonly hostQuestions: (() => void)[] = [];
  readonly #watchers = new Set<(response: WatchResponse) => void>();
  readonly #failures = new Map<string, ConnectError[]>();

  /** The next call of the method fails so. */
  failNext(method: string, error: ConnectError): void {
    this.#failures.set(method, [...(this.#failures.get(method) ?? []), error]);
  }

  /** Called first by every method. */
  enter(method: string, options: { readonly public?: boolean } = {}): void {
    const failure = this.#failures.get(method)?.shift();
    if (failure) throw failure;
    if (!this.signedIn && options.public !== true) {
      throw new ConnectError("sign in first", Code.Unauthenticated);
    }
  }

  watch(watcher: (response: WatchResponse) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  get watcherCount(): number {
    return this.#watchers.size;
  }

  publish(init: MessageInitShape<typeof WatchResponseSchema>): void {
    const response = create(WatchResponseSchema, { serverTime: toTimestamp(Date.now()), ...init });
    for (const watcher of this.#watchers) watcher(response);
  }

  putHost(host: Node): Node {
    this.hosts.set(host.id, host);
    this.publish({ nodes: [host] });
    return host;
  }

  removeHost(id: string): void {
    this.hosts.delete(id);
    this.publish({ removedNodeIds: [id] });
  }

  putStatus(status: NodePipelineStatus): void {
    this.pipelines.get(status.pipelineId)?.statuses.set(status.nodeId, status);
    this.publish({ statuses: [status] });
  }

  putPipeline(init: {
    readonly id: string;
    readonly name: string;
    readonly yaml: string;
    readonly deployed?: boolean;
  }): FakePipeline {
    const deployed = init.deployed ?? false;
    const pipeline: FakePipeline = {
      live: aPipelineLive({
        summary: {
          id: init.id,
          name: init.name,
          draft: !deployed,
          state: deployed ? PipelineState.DEPLOYED : PipelineState.NEVER_DEPLOYED,
          deployedVersion: deployed ? 1 : 0,
          components: componentsOf(init.yaml),
        },
      }),
      yaml: init.yaml,
      revision: 1,
      deployedYaml: deployed ? init.yaml : "",
      versions: [],
      statuses: new Map(),
    };
    this.pipelines.set(init.id, pipeline);
    if (deployed) this.addVersion(pipeline, "First version");
    this.publishPipeline(pipeline);
    return pipeline;
  }

  publishPipeline(pipeline: FakePipeline): void {
    this.publish({ pipelines: [pipeline.live] });
  }

  addVersion(pipeline: FakePipeline, changelog: string): PipelineVersion {
    const number = (pipeline.versions[0]?.version ?? 0) + 1;
    for (const version of pipeline.versions) version.current = false;
    const version = create(PipelineVersionSchema, {
      id: `${idOf(pipeline)}-v${number}`,
      pipelineId: idOf(pipeline),
      version: number,
      configYaml: pipeline.yaml,
      changelog,
      createdBy: this.user.name,
      createTime: toTimestamp(Date.now()),
      current: true,
    });
    pipeline.versions.unshift(version);
    pipeline.deployedYaml = pipeline.yaml;
    const { summary } = pipeline.live;
    if (summary) {
      summary.draft = false;
      summary.state = PipelineState.DEPLOYED;
      summary.pausedVersion = 0;
      summary.undeployedVersion = 0;
      summary.changed = false;
      summary.deployedVersion = number;
    }
    return version;
  }

  /** Waits until the test lets a host answer, or nobody asks any more. */
  async nextHostAnswer(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.hostQuestions.push(resolve);
    signal.addEventListener("abort", () => resolve(), { once: true });
    await promise;
    this.hostQuestions.splice(this.hostQuestions.indexOf(resolve), 1);
  }

  /** Takes a pipeline off its hosts; returns the version that ran. */
  takeOff(id: string, state: PipelineState): number {
    const pipeline = this.pipeline(id);
    const { summary } = pipeline.live;
    const version = summary?.deployedVersion || summary?.pausedVersion || 0;
    if (summary) {
      summary.draft = true;
      summary.state = state;
      summary.deployedVersion = 0;
      summary.pausedVersion = state === PipelineState.PAUSED ? version : 0;
      summary.undeployedVersion = state === PipelineState.UNDEPLOYED ? version : 0;
    }
    pipeline.statuses.clear();
    this.publishPipeline(pipeline);
    return version;
  }

  pipeline(id: string): FakePipeline {
    const pipeline = this.pipelines.get(id);
    if (pipeline === undefined) throw new ConnectError(`no pipeline ${id}`, Code.NotFound);
    return pipeline;
  }
}

export function idOf(pipeline: FakePipeline): string {
  return pipeline.live.summary?.id ?? "";
}

export function componentsOf(
  yaml: string,
): { key: string; kind: ComponentKind; type: string; inputs: string[] }[] {
  return findComponents(yaml).map(({ key, section, from }) => {
    const body = yaml.slice(from);
    const type = /\n\s+type:\s*([\w-]+)/.exec(body)?.[1] ?? "";
    const inputs = section === "sources" ? [] : (/inputs:\s*\n\s*-\s*([\w.-]+)/.exec(body) ?? []);
    return { key, kind: kinds[section], type, inputs: inputs.slice(1, 2) };
  });
}

/**
 * Stands in for the server's checks: types that are named "unknown_…" are errors, and a password in clear is
 * pointed out.
 */
export function checkYaml(yaml: string): Problem[] {
  const passwords = [...yaml.matchAll(/password: (?!SECRET|"SECRET)(\S+)/g)].map((match) => {
    const from = match.index + "password: ".length;
    const owner = findComponents(yaml).findLast((component) => component.from < from)?.key ?? "";
    return aProblem({
      severity: Severity.WARNING,
      message: "a value that is meant to be secret is readable in the text",
      componentKey: owner,
      field: "auth.password",
      from,
      to: from + (match[1]?.length ?? 0),
      fix: { kind: { case: "moveToSecret", value: `${owner}_password` } },
    });
  });
  const unknown = [...yaml.matchAll(/type:\s*(unknown_\w+)/g)].map((match) => {
    const from = match.index + match[0].length - (match[1]?.length ?? 0);
    const owner = findComponents(yaml).findLast((component) => component.from < from);
    return aProblem({
      severity: Severity.ERROR,
      message: `there is no component type ${match[1]}`,
      componentKey: owner?.key ?? "",
      field: "type",
      from,
      to: from + (match[1]?.length ?? 0),
      line: yaml.slice(0, from).split("\n").length,
      textFixes: [
        {
          title: "Make it remap",
          edits: [{ from, to: from + (match[1]?.length ?? 0), insert: "remap" }],
        },
      ],
    });
  });
  return [...unknown, ...passwords];
}

export function failure(
  code: Code,
  message: string,
  reason: string,
  violations: readonly { readonly field: string; readonly message: string }[] = [],
): ConnectError {
  return new ConnectError(message, code, undefined, [
    { desc: ErrorInfoSchema, value: { reason, violations: [...violations] } },
  ]);
}
