import type { DescService } from "@bufbuild/protobuf";
import { createClient, type Client } from "@connectrpc/connect";

import { useApi } from "./api.tsx";

/** A client of a service that only lazy pages use: its descriptor comes with them, and not with the first load. */
export function useClient<T extends DescService>(service: T): Client<T> {
  return createClient(service, useApi().transport);
}
