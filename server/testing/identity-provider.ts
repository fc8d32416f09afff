import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { Provider } from "oidc-provider";

export const clientId = "vectorflow";
export const clientSecret = "the secret between provider and client";

/** A person whom the provider knows. */
export interface ProviderPerson {
  email: string;
  emailVerified: boolean;
  name: string;
  groups: string[];
}

/**
 * A real OpenID provider on loopback, in which somebody is always signed in: `signedInAs` says who. People can be
 * changed between sign-ins.
 */
export async function startIdentityProvider(): Promise<
  AsyncDisposable & {
    readonly issuer: string;
    readonly people: Map<string, ProviderPerson>;
    signedInAs: string;
    allow(redirectUri: string): void;
  }
> {
  const server = http.createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const people = new Map<string, ProviderPerson>();
  const running = { signedInAs: "" };
  const start = (redirectUri: string): void => {
    const provider: Provider = new Provider(issuer, {
      clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
      claims: {
        openid: ["sub"],
        email: ["email", "email_verified"],
        profile: ["name"],
        groups: ["groups"],
      },
      scopes: ["openid", "email", "profile", "groups"],
      pkce: { required: () => true },
      features: { devInteractions: { enabled: false } },
      cookies: { keys: ["a key for cookies of the test"] },
      jwks: undefined,
      findAccount: (_ctx: unknown, id: string) => ({
        accountId: id,
        claims() {
          const person = people.get(id);
          return {
            sub: id,
            email: person?.email,
            email_verified: person?.emailVerified,
            name: person?.name,
            groups: person?.groups,
          };
        },
      }),
      interactions: { url: (_ctx: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
      async loadExistingGrant(ctx: { oidc: { session: { accountId: string } } }) {
        const grant = new provider.Grant({ clientId, accountId: ctx.oidc.session.accountId });
        grant.addOIDCScope("openid email profile groups");
        await grant.save();
        return grant;
      },
    });
    const answer = provider.callback();
    server.removeAllListeners("request");
    server.on("request", (request, response) => {
      if (request.url?.startsWith("/interaction/") !== true) {
        answer(request, response);
        return;
      }
      const login = { accountId: running.signedInAs };
      provider.interactionFinished(request, response, { login }).catch(() => response.destroy());
    });
  };
  return {
    issuer,
    people,
    get signedInAs() {
      return running.signedInAs;
    },
    set signedInAs(id: string) {
      running.signedInAs = id;
    },
    allow: start,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
