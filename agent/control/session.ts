import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Metadata,
  status,
  type Client,
  type ClientDuplexStream,
  type ServiceError,
} from "@grpc/grpc-js";
import {
  SessionRequestSchema,
  type SessionRequest,
  type SessionResponse,
} from "#gen/vectorflow/agent/v1/agent_service_pb.ts";
import type { DesiredState } from "#gen/vectorflow/agent/v1/desired_state_pb.ts";
import { Capability, type Welcome } from "#gen/vectorflow/agent/v1/session_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import { Inspector, inspectorCapabilities, type InspectorDeps } from "../inspection/inspector.ts";
import type { LogSpool } from "../process/log-spool.ts";
import type { StatusBoard } from "../process/pipeline-status.ts";
import type { Reconciler, Refusal } from "../reconcile/reconciler.ts";
import type { HostFacts } from "../telemetry/host-facts.ts";
import type { HostMetricsReader } from "../telemetry/host-metrics.ts";
import type { Scraper } from "../telemetry/scraper.ts";
import { ConfigChecks, type ConfigCheckDeps } from "./config-checks.ts";
import type { ConnectionState } from "./connection-state.ts";
import { CommandDesk, type AnsweredCommands } from "./command-desk.ts";
import { batchToProto, factsToProto, helloReports, reportToProto } from "./control-proto.ts";
import { sessionMethod } from "./grpc-service.ts";
import * as limits from "./limits.ts";
import { heartbeatToProto } from "./heartbeat-proto.ts";
import { LackingBodies } from "./lacking-bodies.ts";
import { StateInbox } from "./state-inbox.ts";

export interface SessionDeps {
  readonly client: Client;
  readonly connection: ConnectionState;
  readonly clock: Clock;
  readonly log: Logger;
  readonly bootId: string;
  /** Tells this machine, in this boot, from one that has a copy of its disk. */
  readonly machine: { readonly machineId: string; readonly hostBootId: string };
  readonly reconciler: Reconciler;
  readonly board: StatusBoard;
  readonly spool: LogSpool;
  readonly scraper: Scraper;
  readonly hostMetrics: HostMetricsReader;
  readonly inspection: Omit<InspectorDeps, "clock" | "log" | "runner">;
  readonly checks: ConfigCheckDeps;
  readonly answered: AnsweredCommands;
  nodeToken(): string;
  /** The node that this host was enrolled as. */
  nodeId(): string;
  installationId(): string;
  facts(): Promise<HostFacts>;
  onInterval(intervalMs: number): void;
}

/** How a session ended. */
export interface SessionEnd {
  readonly code: status;
  readonly reason: string;
  /** The server accepted the session. */
  readonly welcomed: boolean;
}

const welcomeTimeoutMs = 10_000;
const logPauseMs = 250;
const protocolVersion = 1;
const longestCoveredMs = 86_400_000;

type Call = ClientDuplexStream<SessionRequest, SessionResponse>;
type Message = MessageInitShape<typeof SessionRequestSchema>["message"];

/** Runs one session until it ends; never rejects for what a server or a network does. */
export async function runSession(deps: SessionDeps, signal: AbortSignal): Promise<SessionEnd> {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${deps.nodeToken()}`);
  const call = deps.client.makeBidiStreamRequest(
    sessionMethod.path,
    sessionMethod.serialize,
    sessionMethod.deserialize,
    metadata,
  );
  return new Session(deps, call).run(signal);
}

/** One session. It translates and passes on; what must survive is with the reconciler, the board and the spool. */
class Session {
  readonly #deps: SessionDeps;
  readonly #call: Call;
  readonly #over = new AbortController();
  readonly #welcomed = Promise.withResolvers<Welcome>();
  readonly #inspector: Inspector;
  readonly #checks: ConfigChecks;
  readonly #commands: CommandDesk;
  #end: SessionEnd | undefined;
  #intervalMs = 5000;
  #logCredit = 0;
  #logTimer: NodeJS.Timeout | undefined;
  readonly #inbox = new StateInbox();
  readonly #lacking = new LackingBodies();
  #isWelcomed = false;
  #waitingStates = 0;
  /** Cuts the pause before the next heartbeat short. */
  #beatSooner = new AbortController();
  #factsSent = "";
  /** Desired states are taken one after another. */
  #accepting: Promise<void> = Promise.resolve();

  constructor(deps: SessionDeps, call: Call) {
    this.#deps = deps;
    this.#call = call;
    const { clock, answered, inspection, log, reconciler } = deps;
    const runner = reconciler.runner.bind(reconciler);
    this.#inspector = new Inspector(
      { ...inspection, clock, log, runner },
      { send: (message) => this.#send(message), isFull: () => call.writableNeedDrain },
    );
    this.#checks = new ConfigChecks(deps.checks, log, (message) => this.#send(message));
    this.#commands = new CommandDesk({
      clock,
      log,
      answered,
      runner,
      inspector: this.#inspector,
      answer: (commandId, answer) =>
        this.#send({ case: "commandResult", value: { commandId, ...answer } }),
    });
  }

  async run(signal: AbortSignal): Promise<SessionEnd> {
    const ended = Promise.withResolvers<void>();
    this.#call.on("data", (response: SessionResponse) => this.#receive(response));
    this.#call.on("error", (error: ServiceError) => {
      this.#finish(error.code, error.details);
      ended.resolve();
    });
    this.#call.on("end", () => {
      this.#finish(status.OK, "the server ended the session");
      ended.resolve();
    });
    const stop = (): void => this.#call.cancel();
    signal.addEventListener("abort", stop, { once: true });
    // Its rejection is how a session without a welcome ends; nobody else waits for it then.
    this.#welcomed.promise.catch(() => {});
    try {
      await this.#hello();
      void this.#endUnwelcomed();
      this.#begin(await this.#welcomed.promise);
      await Promise.race([ended.promise, this.#beat()]);
      await ended.promise;
    } catch (error) {
      this.#finish(status.UNAVAILABLE, String(error));
    } finally {
      signal.removeEventListener("abort", stop);
      this.#over.abort();
      this.#inspector[Symbol.dispose]();
      this.#checks[Symbol.dispose]();
      clearTimeout(this.#logTimer);
      this.#call.cancel();
    }
    return this.#end ?? { code: status.UNKNOWN, reason: "the session ended", welcomed: false };
  }

  async #endUnwelcomed(): Promise<void> {
    await this.#deps.clock.sleep(welcomeTimeoutMs, this.#over.signal).catch(() => {});
    if (this.#isWelcomed) return;
    this.#finish(status.DEADLINE_EXCEEDED, "the server did not answer");
    this.#call.cancel();
  }

  #finish(code: status, reason: string): void {
    this.#end ??= { code, reason, welcomed: this.#isWelcomed };
    this.#over.abort();
    this.#welcomed.reject(new Error(reason));
  }

  #send(message: Message): void {
    if (message === undefined || this.#end !== undefined) return;
    if (this.#call.writableLength > limits.maximumWaitingMessages) {
      // It is connected and does not read: what waits for it would take all memory.
      this.#finish(status.UNAVAILABLE, "the server does not read what it is sent");
      this.#call.cancel();
      return;
    }
    this.#call.write(create(SessionRequestSchema, { message }));
  }

  async #hello(): Promise<void> {
    const { reconciler, board } = this.#deps;
    const host = factsToProto(await this.#deps.facts());
    this.#factsSent = JSON.stringify(host);
    this.#send({
      case: "hello",
      value: {
        protocol: protocolVersion,
        bootId: this.#deps.bootId,
        ...this.#deps.machine,
        host,
        capabilities: [...inspectorCapabilities(), Capability.CHECK_CONFIG],
        heldHashes: { ...(await reconciler.heldHashes()) },
        installationId: this.#deps.installationId(),
        highestGeneration: reconciler.highestGeneration,
        reports: [...helloReports(board.all())],
      },
    });
  }

  #begin(welcome: Welcome): void {
    this.#logCredit = limits.saneCredit(welcome.limits?.logCreditLines);
    this.#setInterval(welcome.heartbeatIntervalMs);
    this.#deps.connection.opened();
    this.#deps.log.info("connected", {
      nodeId: welcome.nodeId,
      sessionId: welcome.sessionId,
      intervalMs: this.#intervalMs,
    });
    const reports = this.#deps.board.subscribe((report) => {
      this.#send({ case: "pipelineReport", value: reportToProto(report) });
    });
    const lines = this.#deps.spool.notify(() => this.#sendLogsSoon());
    this.#over.signal.addEventListener("abort", () => {
      reports[Symbol.dispose]();
      lines[Symbol.dispose]();
    });
    // What changed between Hello and now.
    for (const report of this.#deps.board.all()) {
      this.#send({ case: "pipelineReport", value: reportToProto(report) });
    }
    for (const batch of this.#deps.spool.unacknowledged) {
      this.#send({ case: "logBatch", value: batchToProto(batch, this.#deps.spool.id) });
    }
    this.#sendLogsSoon();
  }

  #setInterval(asked: number): void {
    const ms = limits.saneInterval(asked);
    if (ms === undefined) return;
    if (ms < this.#intervalMs) this.#beatSooner.abort();
    this.#intervalMs = ms;
    this.#deps.onInterval(ms);
  }

  /** Sends heartbeats at the interval until the session ends. Nothing that may hang is waited for (A10). */
  async #beat(): Promise<void> {
    const { clock, hostMetrics, reconciler } = this.#deps;
    let sequence = 0n;
    let last = clock.now().getTime();
    while (!this.#over.signal.aborted) {
      // Before the first heartbeat too, so that a fresh session shows numbers at once.
      const metrics = await hostMetrics.read();
      const now = clock.now().getTime();
      const facts = factsToProto(await this.#deps.facts());
      const changed = JSON.stringify(facts) !== this.#factsSent;
      this.#factsSent = JSON.stringify(facts);
      sequence += 1n;
      if (!this.#call.writableNeedDrain) {
        this.#send({
          case: "heartbeat",
          value: heartbeatToProto(this.#deps, {
            sequence,
            // The clock may have been set in between.
            intervalMs: Math.min(Math.max(1, now - last), longestCoveredMs),
            metrics,
            host: changed ? facts : undefined,
            now,
          }),
        });
        last = now;
      }
      this.#beatSooner = new AbortController();
      const pause = AbortSignal.any([this.#over.signal, this.#beatSooner.signal]);
      await clock.sleep(this.#intervalMs, pause).catch(() => {});
      const pipelineIds = this.#lacking.due(reconciler.lacking(), clock.now().getTime());
      if (pipelineIds.length > 0)
        this.#send({ case: "lacking", value: { pipelineIds: [...pipelineIds] } });
    }
  }

  #sendLogsSoon(): void {
    this.#logTimer ??= setTimeout(() => {
      this.#logTimer = undefined;
      this.#sendLogs();
    }, logPauseMs);
  }

  #sendLogs(): void {
    const { spool } = this.#deps;
    while (this.#end === undefined && !this.#call.writableNeedDrain) {
      const batch = spool.nextBatch(this.#logCredit - spool.linesUnderWay);
      if (batch === undefined) return;
      this.#send({ case: "logBatch", value: batchToProto(batch, spool.id) });
    }
    this.#call.once("drain", () => this.#sendLogsSoon());
  }

  #receive(response: SessionResponse): void {
    const { message } = response;
    // A server that has not said who it is says nothing that counts.
    if (!this.#isWelcomed && message.case !== "welcome") return;
    switch (message.case) {
      case "welcome":
        this.#welcome(message.value);
        break;
      case "desiredState":
        this.#enqueue(message.value);
        break;
      case "command":
        void this.#commands.take(message.value);
        break;
      case "logAck":
        this.#logCredit = limits.saneCredit(message.value.creditLines, this.#logCredit);
        this.#deps.spool.acknowledge(Number(message.value.sequence));
        break;
      case "throttle":
        this.#setInterval(message.value.heartbeatIntervalMs);
        break;
      case "checkConfig":
      case "checkCancel":
        this.#checks.receive(message);
        break;
      case "tapStart":
      case "tapStop":
      case "terminalOpen":
      case "terminalInput":
      case "terminalResize":
      case "terminalClose":
        this.#inspector.receive(message);
        break;
      default:
        // Kinds of a newer server, and orders about what was never begun (A6).
        break;
    }
  }

  #welcome(welcome: Welcome): void {
    const own = this.#deps.nodeId();
    if (welcome.nodeId !== "" && welcome.nodeId !== own) {
      this.#deps.log.error("the server takes this host for another node", { own, ...welcome });
      this.#finish(status.PERMISSION_DENIED, "the server takes this host for another node");
      this.#call.cancel();
      return;
    }
    this.#isWelcomed = true;
    this.#welcomed.resolve(welcome);
  }

  /** States are taken in turn; while some wait, the transport holds back what follows. */
  #enqueue(state: DesiredState): void {
    if (++this.#waitingStates >= limits.maximumWaitingStates) this.#call.pause();
    this.#accepting = this.#accepting
      .then(() => this.#accept(state))
      .finally(() => {
        if (--this.#waitingStates < limits.maximumWaitingStates) this.#call.resume();
      });
  }

  async #accept(state: DesiredState): Promise<void> {
    const { reconciler, log, spool, clock } = this.#deps;
    if (this.#end !== undefined) return;
    try {
      const arrival = this.#inbox.take(state);
      if (arrival.kind === "partial") return;
      if (arrival.kind === "refused") {
        const { installationId } = state;
        const { highestGeneration } = reconciler;
        this.#fence({ reason: arrival.reason, installationId, highestGeneration });
        return;
      }
      for (const { pipelineId, reason } of arrival.refused) {
        const text = `a configuration that came is not used: ${reason}`;
        log.error(text, { pipelineId });
        const line = { pipelineId, time: clock.now(), level: "error", stream: "agent" } as const;
        spool.add({ ...line, componentId: "", text });
      }
      const refusal = await reconciler.accept(arrival.manifest, arrival.bodies);
      if (refusal !== undefined) this.#fence(refusal);
    } catch (error) {
      // A full disk, for one: what runs goes on, and the next state comes with the next change.
      log.error("cannot take the desired state", { error });
    }
  }

  #fence(refusal: Refusal): void {
    this.#deps.log.error("ignores the server's desired state; everything keeps running", {
      ...refusal,
    });
    this.#send({ case: "fenced", value: { ...refusal } });
  }
}
