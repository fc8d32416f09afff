import {
  create,
  toJson,
  type DescMethod,
  type DescMethodStreaming,
  type DescMethodUnary,
  type Message,
} from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type pg from "pg";
import { ErrorInfoSchema } from "#gen/vectorflow/v1/error_pb.ts";
import { Resource } from "#gen/vectorflow/v1/options_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { hashToken, newToken } from "../auth/tokens.ts";
import { newId } from "../db/columns.ts";
import { userServices } from "../routes.ts";
import { ruleOf } from "../rpc/access-interceptor.ts";
import type { TestServer } from "./test-server.ts";

/** Everyone who can call, and the role that they have in the team whose things are asked for. */
export const callers = {
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
export type Caller = keyof typeof callers;

/** The kind of a resource as error reasons and `Corner.things` name it. */
export function kindOf(resource: Resource): string {
  return (
    Object.entries(Resource).find(([, value]) => value === resource)?.[0] ?? ""
  ).toLowerCase();
}

/** A team with people and things of its own, so that calls do not meet one another. */
export interface Corner {
  readonly tokens: Readonly<Record<Caller, string | undefined>>;
  /** Ids by kind of resource. */
  readonly things: Readonly<Record<string, string>>;
}

/** Makes a corner by SQL, which takes a hundredth of what the API takes. */
export async function makeCorner(pool: pg.Pool): Promise<Corner> {
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

/** The least request that leads to a thing of the corner. */
export function requestFor(method: DescMethod, things: Readonly<Record<string, string>>): Message {
  const rule = ruleOf(method);
  if (rule?.case !== "team") return create(method.input);
  const { also } = rule.value;
  const fields = [rule.value, ...(also === undefined ? [] : [also])].map((access) => {
    const id = things[kindOf(access.resource)];
    if (id === undefined) throw new Error(`makeCorner has no ${kindOf(access.resource)}: add one`);
    const field = method.input.fields.find(({ name }) => name === access.field);
    return [field?.localName ?? "", id];
  });
  return create(method.input, Object.fromEntries(fields) as Record<string, string>);
}

/**
 * Calls a method; the reason it was refused for, or "answered". Streams are left after their first message.
 * What was answered is added to `answers`, as JSON.
 */
export async function call(
  server: TestServer,
  method: DescMethod,
  request: Message,
  token: string | undefined,
  answers?: string[],
): Promise<{ reason: string; error: ConnectError | undefined }> {
  const transport = server.transport(token);
  try {
    if (method.methodKind === "unary") {
      const unary = method as DescMethodUnary;
      const { message } = await transport.unary(unary, undefined, 10_000, undefined, request);
      answers?.push(JSON.stringify(toJson(method.output, message)));
    } else {
      const left = new AbortController();
      const messages = (async function* () {
        yield request;
      })();
      const streaming = method as DescMethodStreaming;
      const stream = await transport.stream(streaming, left.signal, 0, undefined, messages);
      for await (const message of stream.message) {
        answers?.push(JSON.stringify(toJson(method.output, message)));
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

/** Every method of the user API. */
export const methods = userServices.flatMap((service) =>
  service.methods.map((method) => ({ name: `${service.typeName}/${method.name}`, method })),
);
