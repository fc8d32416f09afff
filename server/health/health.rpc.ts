import { Code, ConnectError, type ServiceImpl } from "@connectrpc/connect";
import { HealthCheckResponse_ServingStatus, type Health } from "#gen/grpc/health/v1/health_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { isReady } from "./readiness.ts";

/** gRPC's own health protocol: the same answer as /readyz, for the server and for each of its services. */
export function healthRpc(
  deps: ServerDeps,
  serviceNames: ReadonlySet<string>,
): ServiceImpl<typeof Health> {
  const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = HealthCheckResponse_ServingStatus;
  const status = async () => ((await isReady(deps)) ? SERVING : NOT_SERVING);
  const knows = (service: string): boolean => service === "" || serviceNames.has(service);
  return {
    async check({ service }) {
      // The protocol itself demands this code; it is no failure of a use case.
      if (!knows(service)) throw new ConnectError("unknown service", Code.NotFound);
      return { status: await status() };
    },
    async *watch({ service }, ctx) {
      if (!knows(service)) {
        yield { status: SERVICE_UNKNOWN };
        return;
      }
      const signal = AbortSignal.any([ctx.signal, deps.signal]);
      let last: HealthCheckResponse_ServingStatus | undefined;
      while (!signal.aborted) {
        const next = await status();
        if (next !== last) yield { status: next };
        last = next;
        await deps.clock.sleep(5000, signal).catch(() => {});
      }
      if (deps.signal.aborted) yield { status: NOT_SERVING };
    },
  };
}
