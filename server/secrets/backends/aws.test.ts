import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FakeSecretsManager } from "../../testing/fake-secrets-manager.ts";
import { AwsClient } from "./aws.ts";
import { BackendFailure, type ReadOutcome } from "./backend.ts";
import type { AwsSettings } from "./settings.ts";

const accessKeyId = "AKIAEXAMPLE000000000";
const { signal } = new AbortController();

let aws: FakeSecretsManager;
beforeAll(async () => {
  aws = await FakeSecretsManager.start();
  aws.accessKeyIds.add(accessKeyId);
});
afterAll(() => aws[Symbol.asyncDispose]());

const client = (settings: Partial<AwsSettings> = {}, networks = ["127.0.0.0/8"]): AwsClient =>
  new AwsClient(
    {
      kind: "AWS_SM",
      refreshSeconds: 300,
      pathPrefix: "",
      region: "eu-central-1",
      endpoint: aws.address,
      caPem: "",
      accessKeyId,
      ...settings,
    },
    "a secret access key of forty characters.",
    networks,
  );

const reference = (path: string, key = "", version = "") => ({ path, key, version });

const textOf = (outcome: ReadOutcome | undefined): string =>
  outcome?.kind === "value"
    ? outcome.value
    : `${outcome?.failure.kind}: ${outcome?.failure.message}`;

const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "none";
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    return `${error.kind}: ${error.message}`;
  }
};

describe("AWS Secrets Manager", () => {
  test("gives whole secrets, keys of JSON, and pinned versions, signed for the region", async () => {
    const old = aws.put("prod/db", '{"user":"a","password":"old"}');
    aws.put("prod/db", '{"user":"a","password":"new"}');
    aws.put("prod/plain", "a line\n");
    aws.put("prod/bytes", Buffer.from("text in bytes"));
    aws.put("prod/binary", Buffer.from([0xff, 0xfe, 0x00]));
    await using own = client();
    const read = await own.read(
      [
        reference("prod/db", "password"),
        reference("prod/db", "user"),
        reference("prod/db", "password", "AWSPREVIOUS"),
        reference("prod/db", "password", old),
        reference("prod/db", "absent"),
        reference("prod/plain"),
        reference("prod/plain", "key"),
        reference("prod/bytes"),
        reference("prod/binary"),
        reference("prod/none"),
      ],
      signal,
    );
    expect(read.map(textOf)).toEqual([
      "new",
      "a",
      "old",
      "old",
      "path: it has no such key",
      "a line\n",
      "path: it has no keys: refer to all of it",
      "text in bytes",
      "path: its value is binary: keep it as text",
      "path: there is no such secret or version",
    ]);
    expect(aws.asked.filter(({ secretId }) => secretId === "prod/db")).toHaveLength(3);
    expect(aws.asked[0]?.authorization).toContain(`/eu-central-1/secretsmanager/aws4_request`);
  });

  test("tells sign-in, permission and limits from one another", async () => {
    aws.put("mine", "x");
    aws.forbidden.add("secret-of-others");
    await using own = client();
    expect(await own.check(signal)).toBe("AWS accepts the sign-in");
    const read = await own.read([reference("secret-of-others"), reference("mine")], signal);
    expect(read.map(textOf)).toEqual(["permission: the sign-in may not read it", "x"]);
    await using stranger = client({ accessKeyId: "AKIASTRANGER00000000" });
    expect(await failureOf(stranger.check(signal))).toBe(
      "sign_in: AWS does not accept the access key",
    );
    // Throttled once: the client tries again. Always: that is told.
    aws.nextErrors.push("ThrottlingException");
    expect((await own.read([reference("mine")], signal)).map(textOf)).toEqual(["x"]);
    aws.nextErrors.push("ThrottlingException", "ThrottlingException", "ThrottlingException");
    expect(await failureOf(own.read([reference("mine")], signal))).toBe(
      "unavailable: AWS limits how often it is asked",
    );
    aws.nextErrors.push("UnknownOperationException");
    expect(await failureOf(own.read([reference("mine")], signal))).toMatch(/^answer/);
  });

  test("calls no address that is not allowed, by number or by name (X5)", async () => {
    const before = aws.asked.length;
    expect(() => client({}, [])).toThrow(/does not answer/);
    await using named = client({ endpoint: aws.address.replace("127.0.0.1", "localhost") }, []);
    expect(await failureOf(named.check(signal))).toMatch(/^address: the address does not answer/);
    expect(aws.asked).toHaveLength(before);
  });

  test("lends the server's own identity where its operator allows it", async () => {
    aws.put("lent", "x");
    const env = {
      AWS_ACCESS_KEY_ID: accessKeyId,
      AWS_SECRET_ACCESS_KEY: "a secret access key of forty characters.",
      AWS_ENDPOINT_URL_SECRETS_MANAGER: aws.address,
    };
    Object.assign(process.env, env);
    try {
      await using own = client({ accessKeyId: "", endpoint: "" });
      expect((await own.read([reference("lent")], signal)).map(textOf)).toEqual(["x"]);
    } finally {
      for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name);
    }
    expect(aws.asked.at(-1)?.authorization).toContain(accessKeyId);
  });
});
