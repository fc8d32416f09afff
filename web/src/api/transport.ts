import type { Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/**
 * The transport to the server that served the page. The session is a cookie, which same-origin
 * requests carry. Everything goes by POST: a pipeline's text does not fit into a URL.
 */
export function createWebTransport(): Transport {
  return createConnectTransport({
    baseUrl: window.location.origin,
    useBinaryFormat: !import.meta.env.DEV,
  });
}
