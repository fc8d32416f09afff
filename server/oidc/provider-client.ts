import * as openid from "openid-client";
import type { ServerDeps } from "../deps.ts";
import { outboundFetch } from "./outbound-fetch.ts";
import { readClientSecret, readProviderSettings, type ProviderSettings } from "./settings.ts";

const cacheMs = 10 * 60_000;

/** Talks to the provider of the settings. Its discovery document is kept for a while. */
export class ProviderClient {
  readonly #deps: ServerDeps;
  #cached: { key: string; at: number; client: openid.Configuration } | undefined;

  constructor(deps: ServerDeps) {
    this.#deps = deps;
  }

  /** Undefined when signing in through a provider is off. */
  async open(): Promise<
    { client: openid.Configuration; settings: ProviderSettings; redirectUri: string } | undefined
  > {
    const em = this.#deps.orm.em.fork();
    const settings = await readProviderSettings({ em });
    const secret = await readClientSecret({ em }, this.#deps.sealer);
    if (!settings.enabled || secret === undefined) return undefined;
    const redirectUri = redirectUriOf(this.#deps);
    const key = JSON.stringify([settings.issuer, settings.clientId, secret]);
    const now = this.#deps.clock.now().getTime();
    if (this.#cached?.key !== key || now - this.#cached.at > cacheMs) {
      const client = await discover(settings.issuer, settings.clientId, secret);
      this.#cached = { key, at: now, client };
    }
    return { client: this.#cached.client, settings, redirectUri };
  }
}

/** Where the provider sends people back to. From the configuration, never from a request (X6). */
export function redirectUriOf(deps: ServerDeps): string {
  return `${deps.addresses().web}/auth/oidc/callback`;
}

/** Reads a provider's discovery document. Throws whatever went wrong, which is not for people to see. */
export async function discover(
  issuer: string,
  clientId: string,
  secret?: string,
): Promise<openid.Configuration> {
  const insecure = issuer.startsWith("http:");
  return openid.discovery(new URL(issuer), clientId, secret, undefined, {
    [openid.customFetch]: outboundFetch,
    // Only ever for a provider on this machine: see isProviderUrl.
    ...(insecure && { execute: [openid.allowInsecureRequests] }),
  });
}
