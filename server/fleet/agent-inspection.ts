import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import type {
  SessionRequest,
  SessionResponseSchema,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CommandStatus, type CommandResult } from "#gen/vectorflow/agent/v1/command_pb.ts";
import {
  FieldType,
  type SampleResult,
  type SampledComponent as SampledComponentMessage,
  type TapEvents,
} from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import type { RedactionSetting } from "../environments/environment.entity.ts";
import { ViewerQueue } from "../sampling/event-queue.ts";
import { cleanEvent } from "../sampling/event-text.ts";
import type { SampledComponent, SampleOrder } from "../sampling/samples.ts";
import { AgentTerminals } from "./agent-terminals.ts";
import { clean } from "./text.ts";

type Order = MessageInitShape<typeof SessionResponseSchema>["message"];
export type SendOrder = (order: Order) => void;

/** One event for a viewer. */
export interface TappedEvent {
  readonly componentKey: string;
  readonly json: string;
  readonly cut: boolean;
  readonly redacted: number;
}

/** A live tap as its viewer holds it; disposing it ends it on the host. */
export interface Tap extends Disposable {
  readonly queue: ViewerQueue<TappedEvent | "started">;
}

export interface TapOrder {
  readonly tapId: string;
  readonly pipelineId: string;
  readonly componentKeys: readonly string[];
  readonly limitPerInterval: number;
  readonly intervalMs: number;
  readonly durationMs: number;
  readonly redaction: RedactionSetting;
}

export interface InspectionDeps {
  readonly send: SendOrder;
  /** Called once for each sample that was ordered, when the host has answered. */
  onSample(requestId: string, error: string | null, components: readonly SampledComponent[]): void;
  /** Called once for a schema that was ordered: with it, or with why there is none. */
  onSchema(vectorVersion: string, answer: Uint8Array | string): void;
}

interface PendingSample {
  readonly componentKeys: readonly string[];
  readonly limit: number;
  readonly events: Map<string, string[]>;
  bytes: number;
}

const maxPendingSamples = 32;
const maxSampleBytes = 16 * 1024 * 1024;
const maxEventLength = 512 * 1024;
const maxFields = 1000;
const viewerBytes = 4 * 1024 * 1024;

const typeNames: Partial<Record<FieldType, string>> = {
  [FieldType.STRING]: "string",
  [FieldType.INTEGER]: "integer",
  [FieldType.FLOAT]: "float",
  [FieldType.BOOLEAN]: "boolean",
  [FieldType.TIMESTAMP]: "timestamp",
  [FieldType.OBJECT]: "object",
  [FieldType.ARRAY]: "array",
  [FieldType.NULL]: "null",
};

/**
 * What people look at on one connected host. It takes only answers to what this session has asked; each
 * bound is this one's own, since a host may send anything.
 */
export class AgentInspection {
  readonly terminals: AgentTerminals;
  readonly #deps: InspectionDeps;
  readonly #samples = new Map<string, PendingSample>();
  readonly #taps = new Map<string, Tap["queue"]>();
  #schema: { readonly id: string; readonly vectorVersion: string } | undefined;

  constructor(deps: InspectionDeps) {
    this.#deps = deps;
    this.terminals = new AgentTerminals(deps.send);
  }

  orderSample(order: SampleOrder, redaction: RedactionSetting): void {
    const { requestId, pipelineId, componentKeys, limit, timeLimitMs, expiresAt } = order;
    // A second announcement of the same request.
    if (this.#samples.has(requestId)) return;
    if (this.#samples.size === maxPendingSamples) {
      this.#deps.onSample(requestId, "too many samples of this host are under way", []);
      return;
    }
    this.#samples.set(requestId, { componentKeys, limit, events: new Map(), bytes: 0 });
    const value = {
      pipelineId,
      componentIds: [...componentKeys],
      limit,
      timeLimitMs,
      redaction: rulesOf(redaction),
    };
    this.#deps.send({
      case: "command",
      value: {
        id: requestId,
        expireTime: timestampFromDate(expiresAt),
        kind: { case: "sample", value },
      },
    });
  }

  startTap(order: TapOrder): Tap {
    const { tapId, componentKeys, redaction, ...rest } = order;
    const queue: Tap["queue"] = new ViewerQueue(viewerBytes);
    this.#taps.set(tapId, queue);
    this.#deps.send({
      case: "tapStart",
      value: {
        ...rest,
        tapId,
        componentIds: [...componentKeys],
        redaction: rulesOf(redaction),
      },
    });
    return {
      queue,
      [Symbol.dispose]: () => {
        if (this.#taps.delete(tapId)) this.#deps.send({ case: "tapStop", value: { tapId } });
      },
    };
  }

  orderSchema(vectorVersion: string): void {
    const id = randomUUID();
    this.#schema = { id, vectorVersion };
    const kind = { case: "uploadComponentSchema" as const, value: {} };
    this.#deps.send({ case: "command", value: { id, kind } });
  }

  /** Takes what belongs here; answers to what nobody asked for mean nothing (A6). */
  receive(message: SessionRequest["message"]): void {
    switch (message.case) {
      case "sampleResult":
        this.#sampleResult(message.value);
        break;
      case "commandResult":
        this.#commandResult(message.value);
        break;
      case "tapEvents":
        this.#tapEvents(message.value);
        break;
      case "terminalOutput":
        this.terminals.receive(message.value);
        break;
      case "componentSchema":
        // Its version is the one that was asked about: the host may have another by now.
        if (message.value.vectorVersion === this.#schema?.vectorVersion) {
          this.#schemaAnswer(message.value.schemaGzip);
        }
        break;
      default:
        break;
    }
  }

  /** The session is over: nobody waits for more. */
  end(reason: string): void {
    for (const queue of this.#taps.values()) queue.end(reason);
    this.#taps.clear();
    this.terminals.end(reason);
    for (const requestId of this.#samples.keys()) this.#finish(requestId, reason, []);
  }

  #sampleResult(result: SampleResult): void {
    const pending = this.#samples.get(result.commandId);
    if (pending === undefined) return;
    for (const { componentId, json } of result.events) {
      const event = cleanEvent(json, maxEventLength);
      if (event === undefined || pending.bytes + event.length > maxSampleBytes) continue;
      const events = pending.events.get(componentId) ?? [];
      if (events.length === pending.limit || !pending.componentKeys.includes(componentId)) continue;
      pending.bytes += event.length;
      events.push(event);
      pending.events.set(componentId, events);
    }
    if (result.more) return;
    if (result.error !== "") return this.#finish(result.commandId, clean(result.error, 1024), []);
    const reported = new Map(result.components.map((part) => [part.componentId, part]));
    const components = pending.componentKeys.map((componentKey): SampledComponent => {
      const part = reported.get(componentKey);
      const error = part === undefined ? "the host sent nothing about it" : clean(part.error, 1024);
      return {
        componentKey,
        events: pending.events.get(componentKey) ?? [],
        schema: part === undefined ? [] : schemaOf(part),
        error: error === "" ? null : error,
      };
    });
    this.#finish(result.commandId, null, components);
  }

  #schemaAnswer(answer: Uint8Array | string): void {
    const asked = this.#schema;
    this.#schema = undefined;
    if (asked !== undefined) this.#deps.onSchema(asked.vectorVersion, answer);
  }

  #commandResult({ commandId, status, message }: CommandResult): void {
    if (status === CommandStatus.OK) return;
    if (commandId === this.#schema?.id) {
      return this.#schemaAnswer(clean(message, 1000) || "the host could not do it");
    }
    this.#finish(commandId, clean(message, 1024) || "the host could not do it", []);
  }

  #finish(requestId: string, error: string | null, components: readonly SampledComponent[]): void {
    if (!this.#samples.delete(requestId)) return;
    this.#deps.onSample(requestId, error, components);
  }

  #tapEvents(message: TapEvents): void {
    const queue = this.#taps.get(message.tapId);
    if (queue === undefined) {
      // Its viewer has gone, and the order to stop may have been lost.
      if (message.endedReason === "") {
        this.#deps.send({ case: "tapStop", value: { tapId: message.tapId } });
      }
      return;
    }
    if (message.started) queue.push("started", 0);
    for (const event of message.events) {
      const json = cleanEvent(event.json, maxEventLength);
      if (json === undefined) queue.drop(1);
      else {
        queue.push(
          {
            componentKey: clean(event.componentId, 200),
            json,
            cut: event.cut,
            redacted: event.redacted,
          },
          json.length,
        );
      }
    }
    queue.drop(Number(message.droppedEvents));
    if (message.endedReason === "") return;
    this.#taps.delete(message.tapId);
    queue.end(clean(message.endedReason, 1024));
  }
}

function rulesOf({ fieldGlobs, valuePatterns }: RedactionSetting): {
  fieldGlobs: string[];
  valuePatterns: string[];
} {
  return { fieldGlobs: [...fieldGlobs], valuePatterns: [...valuePatterns] };
}

function schemaOf(part: SampledComponentMessage): SampledComponent["schema"] {
  return part.fields.slice(0, maxFields).map(({ path, types, eventCount }) => ({
    path: clean(path, 1024),
    // A type that a newer agent knows is none that people could be shown.
    types: types.flatMap((type) => typeNames[type] ?? []),
    eventCount,
  }));
}
