import type { DescMethodUnary } from "@bufbuild/protobuf";
import { createConnectQueryKey } from "@connectrpc/connect-query-core";
import type { Transport } from "@connectrpc/connect";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/solid-query";
import { createContext, onCleanup, type JSX } from "solid-js";

import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { DeliveryService } from "#gen/vectorflow/v1/delivery_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { Topic } from "#gen/vectorflow/v1/live_service_pb.ts";
import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";

import { createClients, type Clients } from "../api/clients.ts";
import { isRetryable, isSignedOut } from "../api/errors.ts";
import { createSurroundings } from "../api/surroundings.ts";
import { browserClock, type Clock } from "../lib/clock.ts";
import { requireContext } from "./required-context.ts";

/** What every page needs to talk to the server. */
export interface Api {
  readonly transport: Transport;
  readonly clients: Clients;
  readonly queryClient: QueryClient;
  readonly clock: Clock;
  readonly surroundings: ReturnType<typeof createSurroundings>;
}

const ApiContext = createContext<Api>();

export function useApi(): Api {
  return requireContext(ApiContext, "ApiProvider");
}

export function ApiProvider(props: {
  transport: Transport;
  clock?: Clock;
  onSignedOut: () => void;
  children: JSX.Element;
}): JSX.Element {
  const transport = props.transport;
  const queryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (isSignedOut(error)) props.onSignedOut();
      },
    }),
    defaultOptions: {
      queries: {
        staleTime: 30_000,
        retry: (failures, error) => isRetryable(error) && failures < 2,
        retryDelay: 1_000,
      },
    },
  });
  onCleanup(() => queryClient.clear());
  const api: Api = {
    transport,
    clients: createClients(transport),
    queryClient,
    clock: props.clock ?? browserClock,
    surroundings: createSurroundings(),
  };
  return (
    <QueryClientProvider client={queryClient}>
      <ApiContext.Provider value={api}>{props.children}</ApiContext.Provider>
    </QueryClientProvider>
  );
}

const methodsByTopic = {
  [Topic.ENVIRONMENT]: [
    EnvironmentService.method.listEnvironments,
    EnvironmentService.method.getEnvironment,
    // How the backend of secrets does.
    SecretService.method.listSecrets,
  ],
  [Topic.PIPELINES]: [
    PipelineService.method.getPipeline,
    DeliveryService.method.getDelivery,
    SecretService.method.listSecrets,
    CertificateService.method.listCertificates,
  ],
  [Topic.VERSIONS]: [
    PipelineService.method.listVersions,
    PipelineService.method.getPipeline,
    DeliveryService.method.getDelivery,
  ],
} satisfies Partial<Record<Topic, readonly DescMethodUnary[]>>;

/** Makes the caches that hold these things ask again. */
export function invalidateTopics(queryClient: QueryClient, topics: readonly Topic[]): void {
  const methods: Partial<Record<number, readonly DescMethodUnary[]>> = methodsByTopic;
  for (const topic of topics) {
    for (const schema of methods[topic] ?? []) {
      const queryKey = createConnectQueryKey({ schema, cardinality: undefined });
      void queryClient.invalidateQueries({ queryKey });
    }
  }
}
