import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";
import { silentLogger, type Logger } from "#common/logger.ts";
import { adminPassword, setUp, startTestServer, type TestServer } from "./testing/test-server.ts";

const credentials = { email: "admin@example.com", password: adminPassword };

function codeOf(call: Promise<unknown>): Promise<Code | undefined> {
  return call.then(
    () => undefined,
    (thrown: unknown) => ConnectError.from(thrown).code,
  );
}

/** A client with headers of a browser. */
function browser(server: TestServer, headers: Record<string, string>) {
  return createConnectTransport({
    baseUrl: server.server.webUrl,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        for (const [name, value] of Object.entries(headers)) request.header.set(name, value);
        return next(request);
      },
    ],
  });
}

describe("the web listener", () => {
  test("allows no inline script, no frame, and no other origin, on pages and answers alike", async () => {
    await using server = await startTestServer(inject("templateUrl"), {
      VECTORFLOW_PUBLIC_URL: "https://vectorflow.example.com",
    });
    for (const path of ["/", "/login", "/healthz", "/vectorflow.v1.AuthService/GetSetupState"]) {
      const answer = await fetch(new URL(path, `http://127.0.0.1:${server.server.webPort}`));
      const policy = answer.headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(/script-src ([^;]+)/.exec(policy)?.[1]).toBe("'self'");
      expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
      expect(answer.headers.get("strict-transport-security")).toMatch(/max-age=\d+/);
      expect(answer.headers.get("access-control-allow-origin")).toBeNull();
    }
  });

  test("refuses calls that another site made a browser send, with a cookie and without (login CSRF)", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token } = await setUp(server);
    const cookie = `vectorflow_session=${token}`;
    const create = (headers: Record<string, string>) =>
      codeOf(createClient(TeamService, browser(server, headers)).createTeam({ name: "A" }));
    const own = { cookie, "sec-fetch-site": "same-origin" };
    expect(await create(own)).toBeUndefined();
    for (const site of ["cross-site", "same-site", "none"]) {
      expect(await create({ cookie, "sec-fetch-site": site })).toBe(Code.PermissionDenied);
    }
    expect(await create({ cookie, origin: "https://evil.example.com" })).toBe(
      Code.PermissionDenied,
    );
    const foreign = browser(server, { "sec-fetch-site": "cross-site" });
    expect(await codeOf(createClient(AuthService, foreign).login(credentials))).toBe(
      Code.PermissionDenied,
    );
  });

  test("gives a new session at each sign-in and ends the one that the browser had", async () => {
    await using server = await startTestServer(inject("templateUrl"));
    const { token } = await setUp(server);
    const headers = { cookie: `vectorflow_session=${token}`, "sec-fetch-site": "same-origin" };
    const again = await createClient(AuthService, browser(server, headers)).login(credentials);
    expect(again.sessionToken).not.toBe(token);
    expect(await codeOf(server.client(AuthService, token).getSession({}))).toBe(
      Code.Unauthenticated,
    );
    await server.client(AuthService, again.sessionToken).getSession({});
  });

  test("limits sign-ins and public calls of one address, and no other's (S13)", async () => {
    await using server = await startTestServer(inject("templateUrl"), {
      VECTORFLOW_TRUSTED_PROXIES: "127.0.0.1",
    });
    await setUp(server);
    const auth = server.client(AuthService);
    const from = (address: string) => ({ headers: { "x-forwarded-for": address } });
    const guesses = await Promise.all(
      Array.from({ length: 25 }, (_, n) =>
        codeOf(auth.login({ email: `${n}@example.com`, password: "x" }, from("198.51.100.1"))),
      ),
    );
    expect(guesses.filter((code) => code === Code.ResourceExhausted).length).toBeGreaterThan(3);
    // One customer has a whole network of IPv6 addresses: they count as one.
    const many = await Promise.all(
      Array.from({ length: 25 }, (_, n) =>
        codeOf(auth.login({ email: `${n}@example.com`, password: "x" }, from(`2001:db8::${n}`))),
      ),
    );
    expect(many.filter((code) => code === Code.ResourceExhausted).length).toBeGreaterThan(3);
    expect(await codeOf(auth.login(credentials, from("198.51.100.2")))).toBeUndefined();
    const states = await Promise.all(
      Array.from({ length: 150 }, () => codeOf(auth.getSetupState({}, from("198.51.100.3")))),
    );
    expect(states).toContain(Code.ResourceExhausted);
    expect(await codeOf(auth.getSetupState({}, from("198.51.100.4")))).toBeUndefined();
  });

  test("says once that a proxy in front of it is not trusted", async () => {
    const warnings: string[] = [];
    const log: Logger = {
      debug() {},
      info() {},
      warn: (event) => warnings.push(event),
      error() {},
      child: () => log,
    };
    await using server = await startTestServer(inject("templateUrl"), {}, log);
    const auth = server.client(AuthService);
    const headers = { "x-forwarded-for": "198.51.100.1" };
    await auth.getSetupState({}, { headers });
    await auth.getSetupState({}, { headers });
    expect(warnings.filter((event) => event.includes("VECTORFLOW_TRUSTED_PROXIES"))).toHaveLength(
      1,
    );
  });
});

describe("signing in (X1)", () => {
  test("takes as long for nobody as for a wrong password", async () => {
    const options = { passwordCost: 12 };
    await using server = await startTestServer(inject("templateUrl"), {}, silentLogger, options);
    await setUp(server);
    const auth = server.client(AuthService);
    const timed = async (email: string): Promise<number> => {
      const start = performance.now();
      await codeOf(auth.login({ email, password: "wrong" }));
      return performance.now() - start;
    };
    const known: number[] = [];
    const unknown: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      known.push(await timed("ADMIN@example.com"));
      unknown.push(await timed(`nobody${n}@example.com`));
    }
    // The hash is nearly all of the time: without one the answer would take a tenth.
    const ratio = Math.min(...unknown) / Math.min(...known);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(2);
  });
});
