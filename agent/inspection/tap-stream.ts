import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import {
  ObservabilityService,
  StreamOutputEventsRequestSchema,
  StreamOutputEventsResponseSchema,
  type StreamOutputEventsRequest,
  type StreamOutputEventsResponse,
} from "#gen/vector/observability_pb.ts";
import type { Clock } from "#common/clock.ts";
import type { ApiLease } from "../process/api-lease.ts";
import { Child, describeExit } from "../process/child.ts";
import { compareVersions } from "../vector/executable.ts";
import { parseEventJson } from "./event-json.ts";
import type { EventMap, EventValue } from "./event-value.ts";
import type { TapTarget } from "./tap-target.ts";
import { decodeEvent } from "./vector-event.ts";

export interface TapStreamOptions {
  readonly target: TapTarget;
  /** Events per interval that Vector lets through, as a fair sample. */
  readonly limit: number;
  readonly intervalMs: number;
}

export interface TapListener {
  /** Vector listens for events from now on. */
  onStarted(): void;
  onEvent(event: EventValue): void;
}

/** Ways to Vector's events, for as long as a lease is held. */
export interface TapStreams extends Disposable {
  /** Streams the events of one component until the signal. Resolves to why it ended by itself; never rejects. */
  open(options: TapStreamOptions, listener: TapListener, signal: AbortSignal): Promise<string>;
}

/** After an apply the API is opened again; a stream that cannot come back for this long has ended. */
const reconnectMs = 30_000;
const retryMs = 100;

/**
 * Streams the events of one component over the reloads of its pipeline, which may end every stream. Ends
 * with the signal, or resolves to why it cannot go on; never rejects.
 */
export async function keepTapping(
  streams: TapStreams,
  options: TapStreamOptions,
  listener: TapListener,
  clock: Clock,
  signal: AbortSignal,
): Promise<string> {
  let lastGood = clock.now().getTime();
  for (;;) {
    const reason = await streams.open(
      options,
      {
        onStarted: () => {
          lastGood = clock.now().getTime();
          listener.onStarted();
        },
        onEvent: (event) => {
          lastGood = clock.now().getTime();
          listener.onEvent(event);
        },
      },
      signal,
    );
    if (signal.aborted || clock.now().getTime() - lastGood > reconnectMs) return reason;
    await clock.sleep(retryMs, signal).catch(() => {}); // The next turn looks at the signal.
  }
}

/** Vector's API is gRPC from this version on; before it, the installation's own `vector tap` is run. */
const firstWithGrpc = "0.55.0";
const maxEventBytes = 32 * 1024 * 1024;
const stopGraceMs = 1000;
/** A command that cannot reach the API has ended by then; one that can says nothing. */
const commandStartMs = 200;

/** Chooses by the version of the executable that runs. */
export function openTapStreams(lease: ApiLease, env: Readonly<Record<string, string>>): TapStreams {
  return compareVersions(lease.executable.version, firstWithGrpc) >= 0
    ? new ApiStreams(lease.port)
    : new CommandStreams(lease, env);
}

/** By the gRPC API. */
class ApiStreams implements TapStreams {
  readonly #client: Client;

  constructor(port: number) {
    this.#client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
      "grpc.max_receive_message_length": maxEventBytes,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.enable_http_proxy": 0,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 500,
    });
  }

  async open(
    options: TapStreamOptions,
    listener: TapListener,
    signal: AbortSignal,
  ): Promise<string> {
    const { target, limit, intervalMs } = options;
    const { streamOutputEvents } = ObservabilityService.method;
    const call = this.#client.makeServerStreamRequest(
      `/${ObservabilityService.typeName}/${streamOutputEvents.name}`,
      (request: StreamOutputEventsRequest) =>
        Buffer.from(toBinary(StreamOutputEventsRequestSchema, request)),
      // Secrets in metadata are among the unknown fields: they are not even decoded.
      (bytes: Buffer) =>
        fromBinary(StreamOutputEventsResponseSchema, bytes, { readUnknownFields: false }),
      create(StreamOutputEventsRequestSchema, {
        outputsPatterns: [...target.outputs],
        inputsPatterns: [...target.inputs],
        limit,
        intervalMs,
      }),
    );
    const { promise, resolve } = Promise.withResolvers<string>();
    call.once("metadata", () => listener.onStarted());
    call.on("data", ({ event }: StreamOutputEventsResponse) => {
      if (signal.aborted || event.case !== "tappedEvent" || event.value.event === undefined) return;
      const decoded = decodeEvent(event.value.event);
      if (decoded !== undefined) listener.onEvent(decoded);
    });
    call.on("error", (error: ServiceError) => resolve(`Vector ended the tap: ${error.details}`));
    call.on("end", () => resolve("Vector ended the tap"));
    const cancel = (): void => call.cancel();
    signal.addEventListener("abort", cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      return await promise;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  [Symbol.dispose](): void {
    this.#client.close();
  }
}

/** By `vector tap` of the running executable. */
class CommandStreams implements TapStreams {
  readonly #lease: ApiLease;
  readonly #env: Readonly<Record<string, string>>;

  constructor(lease: ApiLease, env: Readonly<Record<string, string>>) {
    this.#lease = lease;
    this.#env = env;
  }

  async open(
    options: TapStreamOptions,
    listener: TapListener,
    signal: AbortSignal,
  ): Promise<string> {
    if (signal.aborted) return "";
    const { target, limit, intervalMs } = options;
    const { executable, port } = this.#lease;
    const patterns = (flag: string, list: readonly string[]): readonly string[] =>
      list.length === 0 ? [] : [flag, list.join(",")];
    let lastError = "";
    const child = new Child(
      {
        command: executable.path,
        args: [
          "tap",
          `--url=http://127.0.0.1:${port}/graphql`,
          `--interval=${intervalMs}`,
          `--limit=${limit}`,
          "--format=json",
          "--quiet",
          ...patterns("--outputs-of", target.outputs),
          ...patterns("--inputs-of", target.inputs),
        ],
        cwd: "/",
        env: this.#env,
      },
      (line, stream) => {
        if (stream === "stderr") lastError = line.trim() || lastError;
        else if (!signal.aborted) pass(line, executable.version, listener);
      },
    );
    const started = setTimeout(() => listener.onStarted(), commandStartMs);
    const stop = (): void => void child.stop(stopGraceMs);
    signal.addEventListener("abort", stop, { once: true });
    const exit = await child.exit;
    clearTimeout(started);
    signal.removeEventListener("abort", stop);
    return `vector tap ${describeExit(exit)}${lastError === "" ? "" : `: ${lastError}`}`;
  }

  [Symbol.dispose](): void {}
}

function pass(line: string, version: string, listener: TapListener): void {
  const parsed = parseEventJson(line);
  const event = parsed instanceof Map ? unwrapped(parsed, version) : undefined;
  if (event !== undefined) listener.onEvent(event);
}

/** From 0.55 on, `vector tap` wraps each event in an object with its kind. */
export function unwrapped(event: EventMap, version: string): EventValue {
  if (compareVersions(version, firstWithGrpc) < 0 || event.size !== 1) return event;
  return event.get("log") ?? event.get("metric") ?? event.get("trace") ?? event;
}
