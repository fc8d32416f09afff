import { describe, expect, test } from "vitest";
import { loadCatalogue } from "../catalogue.ts";
import { findCredentials, proposeSecretName } from "./credentials.ts";
import type { GraphComponent } from "../graph.ts";

const sink = (type: string, config: Record<string, unknown>): GraphComponent => ({
  key: "out",
  kind: "sink",
  type,
  inputs: ["in"],
  config,
  yaml: "",
});

/** What was found, as `path: the part`. */
function found(component: GraphComponent): readonly string[] {
  return findCredentials(component, loadCatalogue()).map(({ path, from, to }) => {
    const value = path.reduce<unknown>(
      (node, step) => (node as Record<string | number, unknown>)[step],
      component.config,
    );
    return `${path.join(".")}: ${String(value).slice(from, to)}`;
  });
}

// Put together here, so that scanners of this repository find none.
const github = `ghp_${"a1B2".repeat(9)}`;
const aws = `AKIA${"ABCD1234".repeat(2)}`;
const slack = `T0000/B0000/${"x".repeat(20)}`;
const jwt = `eyJ${"a".repeat(20)}.eyJ${"b".repeat(20)}.${"c".repeat(20)}`;
const key = "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----";

describe("findCredentials", () => {
  test.each([
    [
      "a sensitive option",
      "elasticsearch",
      { auth: { strategy: "basic", user: "u", password: "pw" } },
      ["auth.password: pw"],
    ],
    ["a sensitive number", "elasticsearch", { auth: { password: 1234 } }, ["auth.password: 1234"]],
    [
      "items of a sensitive list",
      "splunk_hec_logs",
      { default_token: "abc" },
      ["default_token: abc"],
    ],
    [
      "a sensitive option by its other name",
      "splunk_hec_metrics",
      { token: "abc" },
      ["token: abc"],
    ],
    ["a password in an address", "http", { uri: "https://me:pw%21@example.com/x" }, ["uri: pw%21"]],
    [
      "a token in an address",
      "http",
      { uri: `https://example.com/x?a=1&token=${"t".repeat(12)}&b=2` },
      [`uri: ${"t".repeat(12)}`],
    ],
    [
      "a webhook's path",
      "http",
      { uri: `https://hooks.slack.com/services/${slack}` },
      [`uri: ${slack}`],
    ],
    [
      "a GitHub token anywhere",
      "http",
      { uri: "https://a.example", request: { body: `x ${github} y` } },
      [`request.body: ${github}`],
    ],
    ["an AWS key", "console", { note: aws }, [`note: ${aws}`]],
    ["a signed token", "console", { note: `Bearer ${jwt}` }, [`note: ${jwt}`]],
    ["a private key", "console", { note: key }, [`note: ${key}`]],
    [
      "an authorization header",
      "http",
      { request: { headers: { Authorization: "Bearer x" } } },
      ["request.headers.Authorization: Bearer x"],
    ],
  ] as const)("finds %s", (_name, type, config, expected) => {
    expect(found(sink(type, config))).toEqual(expected);
  });

  test.each([
    ["a reference", "elasticsearch", { auth: { password: "SECRET[pw]" } }],
    ["a reference within a text", "elasticsearch", { auth: { password: "x-SECRET[pw]" } }],
    ["a reference in an address", "http", { uri: "https://me:SECRET[pw]@example.com" }],
    ["a variable", "elasticsearch", { auth: { password: "${PW}" } }],
    ["an address without a password", "http", { uri: "https://example.com:8080/a@b?x=1" }],
    [
      "a header that is no secret",
      "http",
      { request: { headers: { "Content-Type": "text/plain" } } },
    ],
    ["an empty value", "elasticsearch", { auth: { password: "" } }],
    ["a user's name", "elasticsearch", { auth: { user: "elastic" } }],
  ] as const)("lets pass %s", (_name, type, config) => {
    expect(found(sink(type, config))).toEqual([]);
  });

  test("offers no move out of a program", () => {
    const component = {
      ...sink("remap", { source: `.token = "${github}"` }),
      kind: "transform" as const,
    };
    expect(findCredentials(component, loadCatalogue())).toMatchObject([{ movable: false }]);
  });
});

test("proposeSecretName makes a free name that fits a placeholder", () => {
  const component = sink("http", { request: { headers: { "X-Api.Key": "abc" } } });
  const [credential] = findCredentials(component, loadCatalogue());
  if (credential === undefined) throw new Error("nothing found");
  expect(proposeSecretName(component, credential, new Set())).toBe("out_X_Api_Key");
  expect(proposeSecretName(component, credential, new Set(["out_X_Api_Key"]))).toBe(
    "out_X_Api_Key_2",
  );
});
