import { Server, ServerCredentials } from "@grpc/grpc-js";
import net from "node:net";
import type { ServerDeps } from "./deps.ts";
import { agentRpc, agentServiceDefinition, maximumMessageBytes } from "./fleet/agent.rpc.ts";
import { listen, type Listener } from "./http-port.ts";

/** Half-open connections are noticed within this and the timeout. */
const keepaliveMs = 20_000;
const keepaliveTimeoutMs = 10_000;

/** The agent plane on a port of its own. */
export async function listenAgents(deps: ServerDeps, installationId: string): Promise<Listener> {
  const { host } = deps.config.agent;
  // Checked first, because grpc-js answers a taken port with little more than a number.
  const probe = net.createServer();
  const { port } = await listen(probe, deps.config.agent, "VECTORFLOW_AGENT_LISTEN");
  await new Promise((resolve) => probe.close(resolve));
  const server = new Server({
    "grpc.max_receive_message_length": maximumMessageBytes,
    "grpc.keepalive_time_ms": keepaliveMs,
    "grpc.keepalive_timeout_ms": keepaliveTimeoutMs,
    "grpc.max_concurrent_streams": 100,
  });
  server.addService(agentServiceDefinition, agentRpc(deps, installationId));
  const { tls } = deps.config;
  const credentials =
    tls === undefined
      ? ServerCredentials.createInsecure()
      : ServerCredentials.createSsl(null, [
          { cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) },
        ]);
  const address = `${host.includes(":") ? `[${host}]` : host}:${port}`;
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  server.bindAsync(address, credentials, (error, bound) => {
    if (error === null) resolve(bound);
    else reject(error);
  });
  const bound = await promise;
  return {
    port: bound,
    async [Symbol.asyncDispose]() {
      deps.hub.endAll();
      const closed = Promise.withResolvers<void>();
      const late = setTimeout(() => server.forceShutdown(), 1500);
      server.tryShutdown(() => closed.resolve());
      await closed.promise;
      clearTimeout(late);
    },
  };
}
