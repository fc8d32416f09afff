import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";

import { WatchResponseSchema, type WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { LogLine } from "#gen/vectorflow/v1/log_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import type { FakeWorld } from "./fake-world.ts";

const chunkSize = 500;
const heartbeatMs = 10_000;

/** A snapshot in chunks, `synced`, and then whatever the world publishes. */
export async function* fakeWatch(
  world: FakeWorld,
  request: { readonly pipelineIds: readonly string[] },
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  world.enter("watch");
  const wanted = new Set(request.pipelineIds);
  const mailbox = createMailbox<WatchResponse>(signal);
  const stop = world.watch((response) =>
    mailbox.put({
      ...response,
      statuses: response.statuses.filter(({ pipelineId }) => wanted.has(pipelineId)),
    }),
  );
  const heartbeat = setInterval(
    () => mailbox.put(message({ serverTime: toTimestamp(Date.now()) })),
    heartbeatMs,
  );
  try {
    const nodes = [...world.hosts.values()];
    for (let at = 0; at === 0 || at < nodes.length; at += chunkSize) {
      yield message({ snapshot: true, nodes: nodes.slice(at, at + chunkSize) });
    }
    const pipelines = [...world.pipelines.values()];
    yield message({
      snapshot: true,
      synced: true,
      pipelines: pipelines.map(({ live }) => live),
      statuses: pipelines
        .filter(({ live }) => wanted.has(live.summary?.id ?? ""))
        .flatMap(({ statuses }) => Array.from(statuses.values())),
    });
    for (;;) {
      yield await mailbox.take();
      if (!world.signedIn) throw new ConnectError("the session ended", Code.Unauthenticated);
    }
  } finally {
    stop();
    clearInterval(heartbeat);
  }
}

/** The stored lines, then new ones as the world logs them. */
export async function* fakeTail(
  world: FakeWorld,
  method: string,
  wants: (line: LogLine) => boolean,
  signal: AbortSignal,
): AsyncGenerator<{ lines: LogLine[] }> {
  world.enter(method);
  let sent = 0;
  const mailbox = createMailbox<undefined>(signal);
  const stop = world.watch(() => mailbox.put(undefined));
  try {
    for (;;) {
      const lines = world.logs.slice(sent).filter(wants);
      sent = world.logs.length;
      yield { lines };
      await mailbox.take();
    }
  } finally {
    stop();
  }
}

function message(init: MessageInitShape<typeof WatchResponseSchema>): WatchResponse {
  return create(WatchResponseSchema, { serverTime: toTimestamp(Date.now()), ...init });
}

export function createMailbox<T>(signal: AbortSignal): {
  readonly put: (item: T) => void;
  readonly take: () => Promise<T>;
} {
  const items: T[] = [];
  let wake: (() => void) | undefined;
  signal.addEventListener("abort", () => wake?.(), { once: true });
  return {
    put(item) {
      items.push(item);
      wake?.();
    },
    async take() {
      while (items.length === 0) {
        signal.throwIfAborted();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      return items.shift() as T;
    },
  };
}
