import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  SessionRequestSchema,
  SessionResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import { CommandStatus, type Sample } from "#gen/vectorflow/agent/v1/command_pb.ts";
import type { TapStart } from "#gen/vectorflow/agent/v1/inspection_pb.ts";
import { Capability } from "#gen/vectorflow/agent/v1/session_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { ApiLease } from "../process/api-lease.ts";
import type { VectorLookup } from "../vector/executable.ts";
import { generateComponentSchema } from "./component-schema.ts";
import {
  describeProblem,
  InspectionError,
  leaseApi,
  isUsableOrderId,
  within,
  type Inspectable,
} from "./inspectable.ts";
import { rulesFromProto, sampleToProto, tappedToProto } from "./inspection-proto.ts";
import { runLiveTap } from "./live-tap.ts";
import { createRedactor, type RedactionRules, type Redactor } from "./redact.ts";
import { sampleEvents } from "./sampler.ts";
import { findTargets, type TapTarget } from "./tap-target.ts";
import { canOpenTerminals } from "./terminal.ts";
import { Terminals } from "./terminals.ts";

type Message = MessageInitShape<typeof SessionRequestSchema>["message"];

export interface InspectorDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** The environment of Vector's own commands. */
  readonly env: Readonly<Record<string, string>>;
  /** What this host never lets out, whatever the server says. */
  readonly localRules: RedactionRules;
  runner(pipelineId: string): Inspectable | undefined;
  vector(): VectorLookup;
}

/** The session that an inspector speaks through. */
export interface InspectorWire {
  send(message: Message): void;
  /** The server reads too slowly: what can be left out is left out. */
  isFull(): boolean;
}

/** How a command ended. */
export interface Answer {
  readonly status: CommandStatus;
  readonly message: string;
}

const maxTaps = 8;
const maxSamples = 4;

/** What this agent can do, as it says in Hello. */
export function inspectorCapabilities(): Capability[] {
  return [
    Capability.SAMPLE,
    Capability.TAP,
    Capability.COMPONENT_SCHEMA,
    ...(canOpenTerminals() ? [Capability.TERMINAL] : []),
  ];
}

/**
 * All that looks into running pipelines for one session: samples, live taps and terminals. It ends with the
 * session, and with that everything it opened. What is wrong in a message costs only that message.
 */
export class Inspector implements Disposable {
  readonly #deps: InspectorDeps;
  readonly #wire: InspectorWire;
  readonly #over = new AbortController();
  readonly #taps = new Map<string, AbortController>();
  readonly #terminals: Terminals;
  #samples = 0;
  #generating = false;

  constructor(deps: InspectorDeps, wire: InspectorWire) {
    this.#deps = deps;
    this.#wire = wire;
    this.#terminals = new Terminals(deps, wire, this.#over.signal);
  }

  [Symbol.dispose](): void {
    this.#over.abort(new InspectionError("the session has ended"));
  }

  /** Takes what is not a command. Orders about what was never begun mean nothing (A6). */
  receive(message: SessionResponse["message"]): void {
    switch (message.case) {
      case "tapStart":
        void this.#tap(message.value);
        break;
      case "tapStop":
        this.#taps.get(message.value.tapId)?.abort(new InspectionError("stopped"));
        break;
      case "terminalOpen":
      case "terminalInput":
      case "terminalResize":
      case "terminalClose":
        this.#terminals.receive(message);
        break;
      default:
        break;
    }
  }

  /** Never rejects: what goes wrong is the answer. */
  async sample(commandId: string, sample: Sample): Promise<Answer> {
    if (this.#samples >= maxSamples) {
      return this.#sampleFailed(commandId, `more than ${maxSamples} samples at once on this host`);
    }
    this.#samples += 1;
    try {
      const redactor = this.#redactor(rulesFromProto(sample.redaction));
      using lease = await leaseApi(this.#deps.runner(sample.pipelineId), this.#over.signal);
      const samples = await sampleEvents(
        lease,
        {
          targets: targetsIn(lease, sample.componentIds),
          limit: within(sample.limit, 5, 1, 100),
          timeLimitMs: within(sample.timeLimitMs, 10_000, 100, 60_000),
          redactor,
          env: this.#deps.env,
          clock: this.#deps.clock,
        },
        this.#over.signal,
      );
      for (const result of sampleToProto(commandId, samples)) {
        this.#wire.send({ case: "sampleResult", value: result });
      }
      return { status: CommandStatus.OK, message: "" };
    } catch (error) {
      return this.#sampleFailed(commandId, this.#problem("cannot sample", error));
    } finally {
      this.#samples -= 1;
    }
  }

  /** Sends the schema of the installed Vector. Never rejects: what goes wrong is the answer. */
  async uploadSchema(): Promise<Answer> {
    const failed = (message: string): Answer => ({ status: CommandStatus.FAILED, message });
    const lookup = this.#deps.vector();
    if (lookup.kind === "missing") return failed(lookup.problem);
    if (this.#generating) return failed("a schema is being generated already");
    this.#generating = true;
    try {
      const { env } = this.#deps;
      const result = await generateComponentSchema(lookup.executable, env, this.#over.signal);
      if (result.kind === "failed") return failed(result.problem);
      const value = { vectorVersion: result.vectorVersion, schemaGzip: result.gzip };
      this.#wire.send({ case: "componentSchema", value });
      return { status: CommandStatus.OK, message: "" };
    } catch (error) {
      return failed(this.#problem("cannot generate a schema", error));
    } finally {
      this.#generating = false;
    }
  }

  #sampleFailed(commandId: string, error: string): Answer {
    this.#wire.send({ case: "sampleResult", value: { commandId, error } });
    return { status: CommandStatus.FAILED, message: error };
  }

  async #tap(start: TapStart): Promise<void> {
    const { tapId } = start;
    const end = (reason: string): void =>
      this.#wire.send({ case: "tapEvents", value: { tapId, endedReason: reason } });
    // A repeat of an order changes nothing, and an id that cannot be one is not sent back.
    if (this.#taps.has(tapId) || !isUsableOrderId(tapId)) return;
    if (this.#taps.size >= maxTaps)
      return end(`more than ${maxTaps} live taps at once on this host`);
    const stop = new AbortController();
    this.#taps.set(tapId, stop);
    try {
      end(await this.#runTap(start, AbortSignal.any([stop.signal, this.#over.signal])));
    } catch (error) {
      end(this.#problem("cannot tap", error));
    } finally {
      this.#taps.delete(tapId);
    }
  }

  async #runTap(start: TapStart, signal: AbortSignal): Promise<string> {
    const { tapId } = start;
    const redactor = this.#redactor(rulesFromProto(start.redaction));
    using lease = await leaseApi(this.#deps.runner(start.pipelineId), signal);
    return await runLiveTap(
      lease,
      {
        targets: targetsIn(lease, start.componentIds),
        limitPerInterval: within(start.limitPerInterval, 100, 1, 1000),
        intervalMs: within(start.intervalMs, 250, 100, 10_000),
        durationMs: within(start.durationMs, 300_000, 1000, 1_800_000),
        redactor,
        env: this.#deps.env,
        clock: this.#deps.clock,
      },
      {
        started: () => this.#wire.send({ case: "tapEvents", value: { tapId, started: true } }),
        events: (events, dropped) => {
          if (this.#wire.isFull()) return false;
          this.#wire.send({
            case: "tapEvents",
            value: {
              tapId,
              events: events.map(({ componentId, event }) => tappedToProto(componentId, event)),
              droppedEvents: BigInt(dropped),
            },
          });
          return true;
        },
      },
      signal,
    );
  }

  #redactor(fromServer: RedactionRules): Redactor {
    const result = createRedactor(this.#deps.localRules, fromServer);
    if (result.kind === "unusable") throw new InspectionError(result.problem);
    return result.redactor;
  }

  #problem(what: string, error: unknown): string {
    return describeProblem(this.#deps.log, what, error, this.#over.signal);
  }
}

function targetsIn(lease: ApiLease, componentIds: readonly string[]): readonly TapTarget[] {
  const found = findTargets(lease.configText, componentIds);
  if (found.kind === "problem") throw new InspectionError(found.problem);
  return found.targets;
}
