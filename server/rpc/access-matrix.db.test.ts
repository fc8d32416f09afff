import type { DescMethod } from "@bufbuild/protobuf";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { newId } from "../db/columns.ts";
import {
  call,
  callers,
  kindOf,
  makeCorner,
  methods,
  requestFor,
  type Caller,
} from "../testing/corner.ts";
import { openPool } from "../testing/database.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { ruleOf } from "./access-interceptor.ts";

const nobody = new Set<Caller>(["anonymous", "expiredSession", "revokedToken"]);

/** What the rule of a method says about a caller: the reason of a refusal, or "allowed". */
function declared(method: DescMethod, caller: Caller): string {
  const rule = ruleOf(method);
  if (rule?.case === "public") return "allowed";
  if (nobody.has(caller)) return "sign_in_required";
  switch (rule?.case) {
    case "signedIn":
      return "allowed";
    case "person":
      return caller === "editorsToken" ? "not_allowed" : "allowed";
    case "superAdmin":
      return caller === "superAdmin" ? "allowed" : "not_allowed";
    case "team": {
      const role = callers[caller];
      if (role === undefined) return `${kindOf(rule.value.resource)}_not_found`;
      if (rule.value.person && caller === "editorsToken") return "not_allowed";
      return role >= Math.max(rule.value.role, rule.value.also?.role ?? 0)
        ? "allowed"
        : "not_allowed";
    }
    default:
      return "not_allowed";
  }
}

let server: TestServer;
let pool: pg.Pool;
const answers: string[] = [];

const refusals = /^(sign_in_required|not_allowed|password_change_required|second_factor_required)$/;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  await setUp(server);
  pool = openPool(server.databaseUrl, 2);
});

afterAll(async () => {
  await pool.end();
  await server[Symbol.asyncDispose]();
});

describe("who may call (X3)", () => {
  test.each(methods)("$name is what its contract declares", async ({ method }) => {
    const outcomes: Record<string, string> = {};
    const expected: Record<string, string> = {};
    for (const caller of Object.keys(callers) as Caller[]) {
      const { tokens, things } = await makeCorner(pool);
      const request = requestFor(method, things);
      const { reason } = await call(server, method, request, tokens[caller], answers);
      const rule = ruleOf(method);
      const hidden = rule?.case === "team" ? `${kindOf(rule.value.resource)}_not_found` : "";
      outcomes[caller] = refusals.test(reason) || reason === hidden ? reason : "allowed";
      expected[caller] = declared(method, caller);
    }
    expect(outcomes).toEqual(expected);
  });

  test.each(methods.filter(({ method }) => ruleOf(method)?.case === "team"))(
    "$name tells nobody whether a thing of another team exists",
    async ({ method }) => {
      const { tokens, things } = await makeCorner(pool);
      const made = await call(
        server,
        method,
        requestFor(method, things),
        tokens.foreignAdmin,
        answers,
      );
      const guesses = Object.fromEntries(Object.keys(things).map((kind) => [kind, newId()]));
      const guessed = await call(
        server,
        method,
        requestFor(method, guesses),
        tokens.foreignAdmin,
        answers,
      );
      const plain = (text: string | undefined, ids: object): string =>
        Object.values(ids).reduce<string>(
          (rest, id) => rest.replaceAll(String(id), "?"),
          text ?? "",
        );
      expect(guessed.reason).toBe(made.reason);
      expect(guessed.error?.code).toBe(made.error?.code);
      expect(plain(guessed.error?.message, guesses)).toBe(plain(made.error?.message, things));
    },
  );

  test("no answer ever carried what is stored of a password or token", async () => {
    const { rows } = await pool.query<{ value: string }>(
      `select "passwordHash" as value from "User" where "passwordHash" is not null
       union all select "tokenHash" from "Session" union all select "tokenHash" from "ApiToken"
       union all select "enrollmentTokenHash" from "Environment" where "enrollmentTokenHash" is not null`,
    );
    expect(answers.length).toBeGreaterThan(50);
    expect(rows.length).toBeGreaterThan(50);
    const everything = answers.join("\n");
    expect(rows.filter(({ value }) => everything.includes(value))).toEqual([]);
  });
});
