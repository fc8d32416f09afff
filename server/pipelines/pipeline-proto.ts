import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import {
  ChangeKind,
  type EditPipelineTextRequest,
  DeployEffect,
  type PolicyRefusalSchema,
  type VrlProgramsSchema,
} from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import {
  ComponentKind,
  DataType,
  DeployStep,
  NodeReachability,
  PipelineState,
  ProcessState,
  Severity,
  type ComponentSchema,
  type NodePipelineStatusSchema,
  type PipelineSummarySchema,
  type PipelineVersionSchema,
  type ProblemSchema,
} from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { ProgramPlace } from "#vrl/check-text.ts";
import type { ComponentKind as StoredKind } from "../db/enums.ts";
import { DomainError } from "../errors.ts";
import type { PolicyRefusal } from "../fleet/policy-preview.ts";
import { optionalTime } from "../rpc/time-proto.ts";
import type { DataType as StoredDataType, Kind } from "../configuration/catalogue.ts";
import type {
  ComponentChange,
  ConfigChanges,
  DeployEffect as Effect,
} from "../configuration/changes.ts";
import type { WiredComponent } from "../configuration/compile.ts";
import type { PipelineEdit } from "../configuration/edit/edit-text.ts";
import type { Problem } from "../configuration/graph.ts";
import type { PipelineRow } from "./pipeline-list.ts";
import { outputId } from "../configuration/ports.ts";
import type { StatusView } from "./statuses.ts";
import type { VersionView } from "./versions.ts";

export const kindToProto = {
  SOURCE: ComponentKind.SOURCE,
  TRANSFORM: ComponentKind.TRANSFORM,
  SINK: ComponentKind.SINK,
} satisfies Record<StoredKind, ComponentKind>;

const changeToProto = {
  added: ChangeKind.ADDED,
  removed: ChangeKind.REMOVED,
  changed: ChangeKind.CHANGED,
  reconnected: ChangeKind.RECONNECTED,
} satisfies Record<ComponentChange["kind"], ChangeKind>;

const effectToProto = {
  nothing: DeployEffect.NOTHING,
  start: DeployEffect.START,
  reload: DeployEffect.RELOAD,
  restart: DeployEffect.RESTART,
} satisfies Record<Effect, DeployEffect>;

/** Without an effect when one of two texts is no configuration. */
export function changesToProto(changes: ConfigChanges | undefined) {
  return {
    changes: (changes?.components ?? []).map(({ key, kind, fields }) => ({
      componentKey: key,
      kind: changeToProto[kind],
      fields: [...fields],
    })),
    changedOptions: [...(changes?.options ?? [])],
    effect: changes === undefined ? DeployEffect.UNSPECIFIED : effectToProto[changes.effect],
  };
}

/** Where a pipeline is in its life. */
export function stateToProto(pipeline: {
  readonly deployedVersion?: number | null | undefined;
  readonly pausedVersion?: number | null | undefined;
  readonly deployedAt?: Date | null | undefined;
}): PipelineState {
  if (pipeline.deployedVersion != null) return PipelineState.DEPLOYED;
  if (pipeline.pausedVersion != null) return PipelineState.PAUSED;
  return pipeline.deployedAt == null ? PipelineState.NEVER_DEPLOYED : PipelineState.UNDEPLOYED;
}

export function summaryToProto(
  row: PipelineRow,
): Exclude<MessageInitShape<typeof PipelineSummarySchema>, Message> {
  return {
    id: row.id,
    name: row.name,
    description: row.description ?? "",
    environmentId: row.environmentId,
    draft: row.isDraft,
    changed: row.changed,
    deployedVersion: row.deployedVersion ?? 0,
    pausedVersion: row.pausedVersion ?? 0,
    undeployedVersion: row.undeployedVersion ?? 0,
    state: stateToProto(row),
    ...optionalTime("deployTime", row.deployedAt),
    ...optionalTime("updateTime", row.updatedAt),
    updatedBy: row.updatedBy ?? "",
    components: row.components.map(({ key, kind, type, edges }) => ({
      key,
      kind: kindToProto[kind],
      type,
      inputs: (edges ?? []).map(({ from, output }) => outputId(from, output)),
      edges: (edges ?? []).map(edgeToProto),
    })),
  };
}

function edgeToProto(edge: { readonly from: string; readonly output: string | null }) {
  return { componentKey: edge.from, output: edge.output ?? "" };
}

const dataTypes = {
  log: DataType.LOG,
  metric: DataType.METRIC,
  trace: DataType.TRACE,
} satisfies Record<StoredDataType, DataType>;

export function componentToProto(
  component: WiredComponent,
): Exclude<MessageInitShape<typeof ComponentSchema>, Message> {
  return {
    key: component.key,
    kind: kindToProto[component.kind.toUpperCase() as StoredKind],
    type: component.type,
    inputs: [...component.inputs],
    edges: component.edges.map(edgeToProto),
    outputs: component.outputs.map(({ name, types, fields }) => ({
      name: name ?? "",
      dataTypes: types.map((type) => dataTypes[type]),
      fields: fields.map((field) => ({ ...field, types: [...field.types] })),
    })),
  };
}

/** Lines are counted once for all: a text may have a mebibyte and hundreds of problems (S8). */
export function problemsToProto(
  problems: readonly Problem[],
  text: string,
): Exclude<MessageInitShape<typeof ProblemSchema>, Message>[] {
  const lineAt = lineCounter(text);
  return problems.map((problem) => problemToProto(problem, lineAt));
}

/** Tells the line of a place, from 1. */
function lineCounter(text: string): (place: number) => number {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return (place) => {
    let low = 0;
    let high = starts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((starts[middle] ?? 0) <= place) low = middle;
      else high = middle;
    }
    return low + 1;
  };
}

function problemToProto(
  problem: Problem,
  lineAt: (place: number) => number,
): Exclude<MessageInitShape<typeof ProblemSchema>, Message> {
  const { span } = problem;
  return {
    severity: problem.severity === "error" ? Severity.ERROR : Severity.WARNING,
    message: problem.message,
    componentKey: problem.componentKey,
    field: problem.field,
    ...(problem.moveToSecret === undefined
      ? {}
      : { fix: { kind: { case: "moveToSecret", value: problem.moveToSecret } } }),
    textFixes: (problem.fixes ?? []).map(({ title, edits }) => ({ title, edits: [...edits] })),
    ...(span === undefined
      ? {}
      : {
          from: span.from,
          to: span.to,
          line: lineAt(span.from),
        }),
  };
}

export function programsToProto(
  programs: readonly ProgramPlace[],
): Exclude<MessageInitShape<typeof VrlProgramsSchema>, Message> {
  const options = new Map<string, number>();
  const kinds = new Map<string, number>();
  const places = programs.map((program) => ({
    componentKey: program.componentKey,
    path: [...program.path],
    optionsIndex: indexIn(options, program.options),
    ...(program.certain && { certainKindIndex: indexIn(kinds, program.certain) }),
  }));
  return { programs: places, optionsJson: [...options.keys()], kindsJson: [...kinds.keys()] };
}

/** The place of a value in a table, where it is put when it is new. */
function indexIn(table: Map<string, number>, value: object | string): number {
  const json = JSON.stringify(value);
  const index = table.get(json) ?? table.size;
  table.set(json, index);
  return index;
}

const kindFromProto: Readonly<Partial<Record<ComponentKind, Kind>>> = {
  [ComponentKind.SOURCE]: "source",
  [ComponentKind.TRANSFORM]: "transform",
  [ComponentKind.SINK]: "sink",
};

export function editFromProto(edit: EditPipelineTextRequest["edit"]): PipelineEdit {
  switch (edit.case) {
    case "renameComponent":
      return { kind: "rename-component", key: edit.value.key, newKey: edit.value.newKey };
    case "renameOutput": {
      const { componentKey: key, name, newName } = edit.value;
      return { kind: "rename-output", key, name, newName };
    }
    case "addComponent": {
      const componentKind = kindFromProto[edit.value.kind];
      if (componentKind === undefined) {
        throw new DomainError("invalid", "edit_missing", "add_component.kind is required");
      }
      return { kind: "add-component", componentKind, type: edit.value.type };
    }
    default:
      throw new DomainError("invalid", "edit_missing", "the request names no change");
  }
}

export function refusalToProto({
  componentId,
  nodeNames,
  ...refusal
}: PolicyRefusal): Exclude<MessageInitShape<typeof PolicyRefusalSchema>, Message> {
  return { ...refusal, componentKey: componentId, nodeNames: [...nodeNames] };
}

export function versionToProto(
  version: VersionView,
  withText: boolean,
): Exclude<MessageInitShape<typeof PipelineVersionSchema>, Message> {
  return {
    id: version.id,
    pipelineId: version.pipelineId,
    version: version.version,
    configYaml: withText ? version.configYaml : "",
    changelog: version.changelog ?? "",
    createdBy: version.createdBy ?? "",
    ...optionalTime("createTime", version.createdAt),
    current: version.current,
    paused: version.paused,
  };
}

function processState(view: StatusView): ProcessState {
  if (view.condition === "HELD") return ProcessState.HELD;
  if (view.condition === "NOT_DELIVERING") return ProcessState.NOT_DELIVERING;
  return ProcessState[view.status ?? "PENDING"];
}

/** A report of an older version, or of an attempt before a retry, says nothing of the deployed one. */
function deployStep(view: StatusView): DeployStep {
  const ofDesired =
    view.attemptedHash !== null &&
    view.attemptedHash === view.desiredHash &&
    view.attempt === view.desiredAttempt;
  if (!ofDesired) return DeployStep.WAITING;
  switch (view.phase) {
    case "RECEIVED":
      return DeployStep.RECEIVED;
    case "VALIDATED":
      return DeployStep.VALIDATED;
    case "APPLYING":
      return DeployStep.APPLYING;
    case "APPLIED":
      return DeployStep.HEALTHY;
    case "FAILED":
      return DeployStep.FAILED;
    case "ROLLED_BACK":
      return DeployStep.ROLLED_BACK;
    default:
      return DeployStep.WAITING;
  }
}

export function statusToProto(
  view: StatusView,
): Exclude<MessageInitShape<typeof NodePipelineStatusSchema>, Message> {
  return {
    nodeId: view.nodeId,
    nodeName: view.nodeName,
    pipelineId: view.pipelineId,
    pipelineName: view.pipelineName,
    state: processState(view),
    step: deployStep(view),
    desiredVersion: view.desiredVersion ?? 0,
    attemptedVersion: view.attemptedVersion ?? 0,
    effectiveVersion: view.version ?? 0,
    reason: view.reason ?? "",
    problems: (view.problems ?? []).map((problem) => ({
      severity: Severity.ERROR,
      ...problem,
    })),
    logTail: view.logTail ?? [],
    restarts: view.restarts ?? 0,
    uptimeSeconds: view.uptimeSeconds ?? 0,
    ...optionalTime("updateTime", view.lastUpdated),
    ...optionalTime("nextStartTime", view.nextStartAt),
    gapMs: view.gapMs ?? 0,
    notice: view.notice ?? "",
    vectorVersion: view.vectorVersion ?? "",
    ...optionalTime("receiveTime", view.receivedAt),
    ...optionalTime("validateTime", view.validatedAt),
    ...optionalTime("applyTime", view.appliedAt),
    ...optionalTime("finishTime", view.finishedAt),
    reachability:
      view.nodeStatus === "UNREACHABLE" || view.nodeStatus === "UNKNOWN"
        ? NodeReachability.UNREACHABLE
        : NodeReachability.CONNECTED,
  };
}
