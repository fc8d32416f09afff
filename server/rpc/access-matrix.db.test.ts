import {
  create,
  getOption,
  toJson,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { Resource, audit } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { hashToken, newToken } from "../auth/tokens.ts";
import { newId } from "../db/columns.ts";
import { userServices } from "../routes.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { ruleOf } from "./access-interceptor.ts";

/** Everyone who can call, and the role that they have in the team whose things are asked for. */
const callers = {
  anonymous: undefined,
  viewer: Role.VIEWER,
  editor: Role.EDITOR,
  admin: Role.ADMIN,
  foreignAdmin: undefined,
  superAdmin: Role.ADMIN,
  expiredSession: undefined,
  editorsToken: Role.EDITOR,
  revokedToken: undefined,
} as const;
type Caller = keyof typeof callers;

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
      return role >= rule.value.role ? "allowed" : "not_allowed";
    }
    default:
      return "not_allowed";
  }
}

function kindOf(resource: Resource): string {
  return (
    Object.entries(Resource).find(([, value]) => value === resource)?.[0] ?? ""
  ).toLowerCase();
}

/** A team with people and things of its own, so that calls do not meet one another. */
interface Corner {
  readonly tokens: Readonly<Record<Caller, string | undefined>>;
  /** Ids by kind of resource. */
  readonly things: Readonly<Record<string, string>>;
}

let server: TestServer;
let pool: pg.Pool;
const answers: string[] = [];

async function makeCorner(): Promise<Corner> {
  const things: Record<string, string> = {};
  const insert = async (table: string, row: Record<string, unknown>): Promise<string> => {
    const id = newId();
    const columns = ["id", ...Object.keys(row)];
    await pool.query(
      `insert into "${table}" (${columns.map((name) => `"${name}"`).join(", ")})
       values (${columns.map((_, index) => `$${index + 1}`).join(", ")})`,
      [id, ...Object.values(row)],
    );
    return id;
  };
  const teamId = await insert("Team", { name: "Corner" });
  const otherTeamId = await insert("Team", { name: "Other corner" });
  const environmentId = await insert("Environment", { name: newId(), teamId });
  things["team"] = teamId;
  things["environment"] = environmentId;
  things["node"] = await insert("VectorNode", {
    name: "n",
    host: "h",
    environmentId,
    machineId: newId(),
  });
  things["pipeline"] = await insert("Pipeline", { name: newId(), environmentId, yaml: "" });
  const person = async (superAdmin: boolean, team?: string, role?: string): Promise<string> => {
    const userId = await insert("User", {
      email: `${newId()}@example.com`,
      name: "Somebody",
      isSuperAdmin: superAdmin,
    });
    if (team !== undefined) await insert("TeamMember", { userId, teamId: team, role });
    return userId;
  };
  const session = async (userId: string, hours: number): Promise<string> => {
    const token = newToken("vfs");
    const expiresAt = new Date(Date.now() + hours * 3_600_000);
    const times = { lastUsedAt: new Date(), expiresAt };
    await insert("Session", { userId, tokenHash: hashToken(token), ...times });
    return token;
  };
  const editor = await person(false, teamId, "EDITOR");
  const apiToken = newToken("vfa");
  const facts = { name: "t", teamId, userId: editor, role: "EDITOR", hint: "vfa_" };
  await insert("ApiToken", { ...facts, tokenHash: hashToken(apiToken) });
  return {
    things,
    tokens: {
      anonymous: undefined,
      viewer: await session(await person(false, teamId, "VIEWER"), 1),
      editor: await session(editor, 1),
      admin: await session(await person(false, teamId, "ADMIN"), 1),
      foreignAdmin: await session(await person(false, otherTeamId, "ADMIN"), 1),
      superAdmin: await session(await person(true), 1),
      expiredSession: await session(await person(true), -1),
      editorsToken: apiToken,
      revokedToken: newToken("vfa"),
    },
  };
}

function requestFor(method: DescMethod, things: Readonly<Record<string, string>>): Message {
  const rule = ruleOf(method);
  if (rule?.case !== "team") return create(method.input);
  const id = things[kindOf(rule.value.resource)];
  if (id === undefined)
    throw new Error(`makeCorner has no ${kindOf(rule.value.resource)}: add one`);
  const field = method.input.fields.find(({ name }) => name === rule.value.field);
  return create(method.input, { [field?.localName ?? ""]: id });
}

/** Calls a method; the reason it was refused for, or "answered". Streams are left after their first message. */
async function call(
  method: DescMethod,
  request: Message,
  token: string | undefined,
): Promise<{ reason: string; error: ConnectError | undefined }> {
  const transport = server.transport(token);
  try {
    if (method.methodKind === "unary") {
      const unary = method as DescMethodUnary;
      const { message } = await transport.unary(unary, undefined, 10_000, undefined, request);
      answers.push(JSON.stringify(toJson(method.output, message)));
    } else {
      const left = new AbortController();
      const messages = (async function* () {
        yield request;
      })();
      const streaming = method as DescMethodStreaming;
      const stream = await transport.stream(streaming, left.signal, 0, undefined, messages);
      for await (const message of stream.message) {
        answers.push(JSON.stringify(toJson(method.output, message)));
        break;
      }
      left.abort();
    }
    return { reason: "answered", error: undefined };
  } catch (thrown) {
    const error = ConnectError.from(thrown);
    return { reason: error.findDetails(ErrorInfoSchema)[0]?.reason ?? Code[error.code], error };
  }
}

const methods = userServices.flatMap((service) =>
  service.methods.map((method) => ({ name: `${service.typeName}/${method.name}`, method })),
);
const refusals = /^(sign_in_required|not_allowed|password_change_required|second_factor_required)$/;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  await setUp(server);
  pool = new pg.Pool({ connectionString: server.databaseUrl, max: 2 });
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
      const { tokens, things } = await makeCorner();
      const { reason } = await call(method, requestFor(method, things), tokens[caller]);
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
      const { tokens, things } = await makeCorner();
      const made = await call(method, requestFor(method, things), tokens.foreignAdmin);
      const guesses = Object.fromEntries(Object.keys(things).map((kind) => [kind, newId()]));
      const guessed = await call(method, requestFor(method, guesses), tokens.foreignAdmin);
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

describe("what is written into the audit (X8)", () => {
  const changes = methods.filter(
    ({ method }) =>
      method.idempotency !== MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS &&
      ruleOf(method)?.case !== "public",
  );

  /** Requests that work, for methods whose fields beside the resource are required. */
  const filled: Record<string, (corner: Corner) => Promise<object> | object> = {
    CreateEnvironment: () => ({ name: "Staging" }),
    UpdateNode: () => ({ name: "renamed" }),
    CreatePipeline: () => ({ name: "p", yaml: "sources: {}" }),
    UpdatePipeline: () => ({ revision: "1", name: "renamed" }),
    UpdateProfile: () => ({ name: "renamed" }),
    CreateUser: () => ({ email: `${newId()}@example.com`, name: "New" }),
    UpdateUser: async () => ({ id: await somebody(), name: "renamed" }),
    ResetPassword: async () => ({ id: await somebody() }),
    ResetSecondFactor: async () => ({ id: await somebody() }),
    AllowProviderLink: async () => ({ id: await somebody() }),
    TestIssuer: () => ({ issuer: "http://127.0.0.1:9" }),
    UpdateAuthenticationSettings: () => ({ settings: { groupsClaim: "groups" } }),
    DeleteUser: async () => ({ id: await somebody() }),
    CreateTeam: () => ({ name: "New" }),
    UpdateTeam: () => ({ name: "renamed" }),
    DeleteTeam: async () => ({ id: await emptyTeam() }),
    AddMember: async () => ({ email: await emailOf(await somebody()), role: Role.VIEWER }),
    UpdateMember: async ({ things }) => ({
      userId: await member(things["team"] ?? ""),
      role: Role.ADMIN,
    }),
    RemoveMember: async ({ things }) => ({ userId: await member(things["team"] ?? "") }),
    CreateApiToken: () => ({ name: "t", role: Role.VIEWER }),
    RevokeApiToken: async ({ things }) => ({
      id: await one(`select "id" from "ApiToken" where "teamId" = $1`, things["team"]),
    }),
    RevokeSession: async ({ tokens }) => ({
      id: await one(
        `select "id" from "Session" where "tokenHash" = $1`,
        hashToken(tokens.superAdmin ?? ""),
      ),
    }),
  };

  const one = async (sql: string, value?: string): Promise<string> =>
    (await pool.query<{ id: string }>(sql, value === undefined ? [] : [value])).rows[0]?.id ?? "";
  const somebody = async (): Promise<string> => {
    await makeCorner();
    return one(
      `select "id" from "User" where not "isSuperAdmin" order by "createdAt" desc limit 1`,
    );
  };
  const emailOf = (id: string): Promise<string> =>
    one(`select "email" as id from "User" where "id" = $1`, id);
  const emptyTeam = async (): Promise<string> => {
    const id = newId();
    await pool.query(`insert into "Team" ("id", "name") values ($1, 'Empty')`, [id]);
    return id;
  };
  const member = (team: string): Promise<string> =>
    one(`select "userId" as id from "TeamMember" where "teamId" = $1 and "role" = 'VIEWER'`, team);

  test.each(changes)("$name writes one row of its action when it works", async ({ method }) => {
    const corner = await makeCorner();
    const { $typeName: _, ...fields } = requestFor(method, corner.things);
    const request = create(method.input, {
      ...fields,
      ...(await filled[method.name]?.(corner)),
    });
    const last = async (): Promise<number> =>
      Number(await one(`select coalesce(max("sequence"), 0)::text as id from "AuditLog"`));
    const before = await last();
    const { reason } = await call(method, request, corner.tokens.superAdmin);
    const { rows } = await pool.query<{ action: string }>(
      `select "action" from "AuditLog" where "sequence" > $1 order by "sequence"`,
      [before],
    );
    const actions = rows.map(({ action }) => action);
    if (filled[method.name] !== undefined) expect(reason).toBe("answered");
    if (reason === "answered") expect(actions).toEqual([getOption(method, audit)]);
  });
});
