import { once } from "node:events";
import http from "node:http";
import { ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { describe, expect, inject, test } from "vitest";
import { AuditService } from "#gen/vectorflow/v1/audit_service_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { SettingsService } from "#gen/vectorflow/v1/settings_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { UserService } from "#gen/vectorflow/v1/user_service_pb.ts";
import { clientId, clientSecret, startIdentityProvider } from "../testing/identity-provider.ts";
import { addPerson } from "../testing/people.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

async function start() {
  const stack = new AsyncDisposableStack();
  const provider = stack.use(await startIdentityProvider());
  const server = stack.use(await startTestServer(inject("templateUrl")));
  const admin = await setUp(server);
  provider.allow(`${server.server.webUrl}/auth/oidc/callback`);
  provider.people.set("sub-1", {
    email: "Anna@Example.com",
    emailVerified: true,
    name: "Anna Berg",
    groups: ["staff"],
  });
  provider.signedInAs = "sub-1";
  const { team } = await server.client(TeamService, admin.token).createTeam({ name: "Guests" });
  const settings = server.client(SettingsService, admin.token);
  const base = {
    enabled: true,
    displayName: "Example ID",
    issuer: provider.issuer,
    clientId,
    groupsClaim: "groups",
    mappings: [
      { group: "ops", teamId: admin.teamId, role: Role.ADMIN },
      { group: "staff", teamId: admin.teamId, role: Role.VIEWER },
    ],
    defaultTeamId: team?.id ?? "",
    defaultRole: Role.VIEWER,
  };
  await settings.updateAuthenticationSettings({ settings: base, clientSecret });
  return {
    provider,
    server,
    admin,
    base,
    settings,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A browser that follows redirects and keeps the cookies of each host. */
class Browser {
  readonly #cookies = new Map<string, Map<string, string>>();

  async get(target: string): Promise<Response> {
    const url = new URL(target);
    const jar = this.#cookies.get(url.host) ?? new Map<string, string>();
    this.#cookies.set(url.host, jar);
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
    const response = await fetch(url, { redirect: "manual", headers: { cookie } });
    for (const header of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(header) ?? [];
      if (value === "") jar.delete(name);
      else jar.set(name, value);
    }
    return response;
  }

  /** Follows redirects until `stop` or the end; where it ended. */
  async follow(target: string, stop = (_url: URL): boolean => false): Promise<URL> {
    let url = new URL(target);
    for (let hop = 0; hop < 12 && !stop(url); hop += 1) {
      const response = await this.get(url.href);
      const location = response.headers.get("location");
      if (location === null) return url;
      url = new URL(location, url);
    }
    return url;
  }

  cookie(host: string, name: string): string | undefined {
    return this.#cookies.get(host)?.get(name);
  }
}

type World = Awaited<ReturnType<typeof start>>;

/** Signs in as whoever is signed in at the provider; the session token, and where the browser ended. */
async function signIn(world: World, browser = new Browser()) {
  const { webUrl } = world.server.server;
  const ended = await browser.follow(
    `${webUrl}/auth/oidc/start?return=%2Fe%2Fx`,
    (url) => url.origin === webUrl && !url.pathname.startsWith("/auth/"),
  );
  const token = browser.cookie(new URL(webUrl).host, "vectorflow_session");
  return { ended: `${ended.pathname}${ended.search}`, token };
}

const membershipsOf = async (world: World, token: string | undefined) => {
  const { user } = await world.server.client(AuthService, token ?? "").getSession({});
  return user?.memberships.map(({ teamName, role }) => [teamName, role]);
};

describe("signing in through a provider", () => {
  test("makes an account with the roles of its groups, and follows them at each sign-in", async () => {
    await using world = await start();
    const { server, provider } = world;
    expect(await server.client(AuthService).getSetupState({})).toMatchObject({
      singleSignOnName: "Example ID",
    });
    const first = await signIn(world);
    expect(first.ended).toBe("/e/x");
    const { user } = await server.client(AuthService, first.token ?? "").getSession({});
    expect(user).toMatchObject({
      email: "anna@example.com",
      name: "Anna Berg",
      hasPassword: false,
    });
    expect(await membershipsOf(world, first.token)).toEqual([["Platform", Role.VIEWER]]);
    const person = provider.people.get("sub-1");
    if (person === undefined) throw new Error("the provider has lost somebody");
    person.groups = ["staff", "ops"];
    const second = await signIn(world);
    expect(await membershipsOf(world, second.token)).toEqual([["Platform", Role.ADMIN]]);
    // A group that is gone takes its role; without any, the default team remains.
    person.groups = [];
    const third = await signIn(world);
    expect(await membershipsOf(world, third.token)).toEqual([["Guests", Role.VIEWER]]);
    // It cannot be entered by a password: there is none.
    const login = server.client(AuthService).login({ email: "anna@example.com", password: "" });
    await expect(login).rejects.toThrow(/e-mail or password is wrong/);
  });

  test("leaves roles alone that people gave", async () => {
    await using world = await start();
    const { server, admin, provider } = world;
    const first = await signIn(world);
    const { user } = await server.client(AuthService, first.token ?? "").getSession({});
    const { team } = await server.client(TeamService, admin.token).createTeam({ name: "Special" });
    const given = { teamId: team?.id ?? "", email: "anna@example.com", role: Role.EDITOR };
    await server.client(TeamService, admin.token).addMember(given);
    provider.people.set("sub-1", {
      email: user?.email ?? "",
      emailVerified: true,
      name: "Anna",
      groups: ["ops"],
    });
    const again = await signIn(world);
    expect(await membershipsOf(world, again.token)).toEqual([
      ["Platform", Role.ADMIN],
      ["Special", Role.EDITOR],
    ]);
  });

  test("refuses an account that is there with the same e-mail until an admin links it", async () => {
    await using world = await start();
    const { server, admin } = world;
    const anna = await addPerson(server, admin.token, "anna@example.com");
    expect(await signIn(world)).toEqual({ ended: "/login?error=account_exists", token: undefined });
    await server.client(UserService, admin.token).allowProviderLink({ id: anna.id });
    const linked = await signIn(world);
    const { user } = await server.client(AuthService, linked.token ?? "").getSession({});
    expect(user?.id).toBe(anna.id);
    // Both ways lead in from now on.
    await server.client(AuthService).login({ email: anna.email, password: anna.password });
    expect((await signIn(world)).ended).toBe("/e/x");
  });

  test("refuses an e-mail that the provider has not verified, and a locked account", async () => {
    await using world = await start();
    const { server, admin, provider } = world;
    provider.people.set("sub-2", {
      email: "eve@example.com",
      emailVerified: false,
      name: "Eve",
      groups: ["ops"],
    });
    provider.signedInAs = "sub-2";
    expect((await signIn(world)).ended).toBe("/login?error=email_missing");
    provider.signedInAs = "sub-1";
    const { token } = await signIn(world);
    const { user } = await server.client(AuthService, token ?? "").getSession({});
    await server.client(UserService, admin.token).updateUser({ id: user?.id ?? "", locked: true });
    expect(await signIn(world)).toEqual({
      ended: "/login?error=provider_failed",
      token: undefined,
    });
    const { entries } = await server
      .client(AuditService, admin.token)
      .listAuditEntries({ filter: { action: "auth.sign_in_failed" } });
    expect(entries.map(({ metadataJson }) => JSON.parse(metadataJson).reason)).toEqual([
      "locked",
      "email_missing",
    ]);
  });

  test("fails closed and visibly when the provider is away (X9)", async () => {
    await using world = await start();
    const gone = { ...world.base, issuer: "http://127.0.0.1:9" };
    await world.settings.updateAuthenticationSettings({ settings: gone, clientSecret });
    expect(await signIn(world)).toEqual({
      ended: "/login?error=provider_failed",
      token: undefined,
    });
    const { entries } = await world.server
      .client(AuditService, world.admin.token)
      .listAuditEntries({ filter: { action: "auth.sign_in_failed" } });
    expect(entries).toHaveLength(1);
  });

  test("sends people back to the configured address, whatever a request calls this host (X6)", async () => {
    await using world = await start();
    const { webUrl } = world.server.server;
    const request = http.get(`${webUrl}/auth/oidc/start`, {
      headers: { host: "evil.example.com" },
    });
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    response.resume();
    const target = new URL(response.headers.location ?? "");
    expect(target.searchParams.get("redirect_uri")).toBe(`${webUrl}/auth/oidc/callback`);
    expect(target.searchParams.get("code_challenge_method")).toBe("S256");
  });

  test("needs the state, the browser and the one use that it began with", async () => {
    await using world = await start();
    const { webUrl } = world.server.server;
    const isCallback = (url: URL): boolean => url.pathname === "/auth/oidc/callback";
    const browser = new Browser();
    const callback = await browser.follow(`${webUrl}/auth/oidc/start`, isCallback);
    // Another browser has not begun it (login CSRF).
    const elsewhere = await new Browser().follow(callback.href);
    expect(`${elsewhere.pathname}${elsewhere.search}`).toBe("/login?error=sign_in_lost");
    const forged = new URL(callback);
    forged.searchParams.set("state", "another");
    const second = new Browser();
    await second.follow(`${webUrl}/auth/oidc/start`, isCallback);
    expect((await second.follow(forged.href)).search).toBe("?error=provider_failed");
    expect((await browser.follow(callback.href)).pathname).toBe("/");
    expect((await browser.follow(callback.href)).search).toBe("?error=sign_in_lost");
    // Somewhere else is never led to.
    const away = await new Browser().follow(
      `${webUrl}/auth/oidc/start?return=https%3A%2F%2Fevil.example.com`,
      (url) => url.origin === webUrl && !url.pathname.startsWith("/auth/"),
    );
    expect(away.href).toBe(`${webUrl}/`);
  });

  test("keeps the provider's tokens and the client secret unreadable, and asks for the secret of a new issuer (S19)", async () => {
    await using world = await start();
    await signIn(world);
    const client = new pg.Client({ connectionString: world.server.databaseUrl });
    await client.connect();
    const { rows } = await client.query<{ row: string; accessToken: string }>(
      `select "SystemSettings"::text as row, '' as "accessToken" from "SystemSettings"
       union all select "AuditLog"::text, '' from "AuditLog"
       union all select '', "accessToken" from "Account"`,
    );
    await client.end();
    expect(rows.map(({ row }) => row).join()).not.toContain(clientSecret);
    expect(rows.find(({ accessToken }) => accessToken !== "")?.accessToken).toMatch(/^v1\./);
    const { settings } = await world.settings.getAuthenticationSettings({});
    expect(settings).toMatchObject({ hasClientSecret: true, clientId });
    await world.settings.updateAuthenticationSettings({
      settings: { ...world.base, displayName: "ID" },
    });
    const moved = { ...world.base, issuer: "https://id.example.com" };
    const refused = world.settings.updateAuthenticationSettings({ settings: moved });
    const violations = await refused.catch(
      (error: unknown) => ConnectError.from(error).findDetails(ErrorInfoSchema)[0]?.violations,
    );
    expect(violations).toMatchObject([{ field: "client_secret" }]);
  });

  test("is tried before it is turned on, and a failure tells nothing of the network (X4)", async () => {
    await using world = await start();
    const { issuer } = world.provider;
    expect(await world.settings.testIssuer({ issuer })).toMatchObject({ works: true });
    const closed = await world.settings.testIssuer({ issuer: "http://127.0.0.1:9" });
    const other = await world.settings.testIssuer({ issuer: world.server.server.webUrl });
    expect(closed.works).toBe(false);
    expect(other).toEqual(closed);
    expect(closed.message).not.toMatch(/127|ECONN|refused|:9/);
  });
});
