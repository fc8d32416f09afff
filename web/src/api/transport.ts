import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

/**
 * Every call that changes something carries a key of its own, so that the server does it once, however often the
 * network delivers it. `crypto.randomUUID` would need a secure context.
 */
export const safeToRepeat: Interceptor = (next) => (request) => {
  if (request.method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS) {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    const key = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
    request.header.set("idempotency-key", key);
  }
  return next(request);
};

/**
 * The transport to the server that served the page. The session is a cookie, which same-origin
 * requests carry. Everything goes by POST: a pipeline's text does not fit into a URL.
 */
export function createWebTransport(): Transport {
  return createConnectTransport({
    baseUrl: window.location.origin,
    useBinaryFormat: !import.meta.env.DEV,
    interceptors: [safeToRepeat],
  });
}
