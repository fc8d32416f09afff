import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { WatchResponse } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { ApiClient } from "./client.ts";

const redialMs = 1_000;
/** The server sends something at least every 10 s. */
const silenceMs = 30_000;
const lasting: ReadonlySet<Code> = new Set([
  Code.Unauthenticated,
  Code.PermissionDenied,
  Code.NotFound,
  Code.InvalidArgument,
  Code.Unimplemented,
]);

/**
 * What happens in an environment, over as many connections as it takes until the signal ends it. A new connection
 * begins with a whole snapshot again. Throws when calling again would not help, and when the first connection
 * cannot be made.
 */
export async function* watchEnvironment(
  client: ApiClient,
  environmentId: string,
  pipelineIds: readonly string[],
  signal: AbortSignal,
): AsyncGenerator<WatchResponse> {
  let everHeard = false;
  while (!signal.aborted) {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), silenceMs);
    try {
      const stream = client.live.watch(
        { environmentId, pipelineIds: [...pipelineIds] },
        { signal: AbortSignal.any([signal, silence.signal]), timeoutMs: 0 },
      );
      for await (const message of stream) {
        everHeard = true;
        timer.refresh();
        yield message;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (!everHeard || lasting.has(ConnectError.from(error).code)) throw error;
    } finally {
      clearTimeout(timer);
    }
    await delay(redialMs, undefined, { signal }).catch(() => {});
  }
}
