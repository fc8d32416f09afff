import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { SnippetService } from "#gen/vectorflow/v1/snippet_service_pb.ts";
import { newId } from "../db/columns.ts";
import { newMemberToken } from "../testing/new-member.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";
import { builtInSnippets } from "./built-in-snippets.ts";

let server: TestServer;
let admin: Awaited<ReturnType<typeof setUp>>;

beforeAll(async () => {
  server = await startTestServer(inject("templateUrl"));
  admin = await setUp(server);
});
afterAll(() => server[Symbol.asyncDispose]());

const refusal = (error: unknown) => {
  const { code, rawMessage } = ConnectError.from(error);
  return { code, message: rawMessage };
};

describe("snippets", () => {
  test("of a team come before those that ship, with who made them", async () => {
    const { teamId } = admin;
    const snippets = server.client(SnippetService, admin.token);
    const name = `Z ${newId()}`;
    const code = '.key = "SECRET[token]" + "VAR[site]"\n';
    const made = await snippets.createSnippet({ teamId, name, category: "Own", code });
    expect(made.snippet).toMatchObject({ name, code: code.trim(), createdBy: "Admin" });
    const listed = await snippets.listSnippets({ teamId });
    expect(listed.snippets[0]).toMatchObject({ name, builtIn: false, exampleEvent: "" });
    const ships = listed.snippets.filter(({ builtIn }) => builtIn);
    expect(ships).toHaveLength(builtInSnippets.length);
    expect(JSON.parse(ships[0]?.exampleEvent ?? "")).toBeTypeOf("object");
    const taken = await snippets.createSnippet({ teamId, name, code: "." }).catch(refusal);
    expect(taken).toMatchObject({ code: Code.AlreadyExists });
    const id = made.snippet?.id ?? "";
    const etag = made.snippet?.etag ?? "";
    const changed = { teamId, id, name, code: ".a == 1", condition: true, etag };
    expect((await snippets.updateSnippet(changed)).snippet).toMatchObject({ condition: true });
    // The second of two editors is told.
    for (const stale of [etag, ""]) {
      const late = snippets.updateSnippet({ ...changed, code: ".b == 1", etag: stale });
      expect(await late.catch(refusal)).toMatchObject({ code: Code.Aborted });
    }
    await snippets.deleteSnippet({ teamId, id });
    expect(await snippets.deleteSnippet({ teamId, id }).catch(refusal)).toMatchObject({
      code: Code.NotFound,
    });
  });

  test.each([
    [{ code: ".a = parse_json(.message)" }, /code does not compile: VRL error 103/],
    [{ code: ".a = 1", condition: true }, /code does not compile: VRL error/],
    [{ code: "  " }, /code is required/],
    [{ code: ".", name: " " }, /name is required/],
  ])("with %o are refused with what the compiler says", async (change, message) => {
    const snippets = server.client(SnippetService, admin.token);
    const input = { teamId: admin.teamId, name: newId(), ...change };
    expect(await snippets.createSnippet(input).catch(refusal)).toMatchObject({
      code: Code.InvalidArgument,
      message: expect.stringMatching(message) as string,
    });
  });

  test("are changed by editors, and those that ship by nobody", async () => {
    const { teamId } = admin;
    const viewer = server.client(SnippetService, await newMemberToken(server, teamId, "VIEWER"));
    const editor = server.client(SnippetService, await newMemberToken(server, teamId, "EDITOR"));
    const input = { teamId, name: newId(), code: ".a = 1" };
    expect(await viewer.createSnippet(input).catch(refusal)).toMatchObject({
      code: Code.PermissionDenied,
    });
    await editor.createSnippet(input);
    const id = builtInSnippets[0]?.id ?? "";
    expect(await editor.updateSnippet({ ...input, id }).catch(refusal)).toMatchObject({
      code: Code.FailedPrecondition,
    });
    expect(await editor.deleteSnippet({ teamId, id }).catch(refusal)).toMatchObject({
      code: Code.FailedPrecondition,
    });
  });
});
