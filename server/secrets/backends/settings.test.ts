import { describe, expect, test } from "vitest";
import { parseConfig } from "../../config.ts";
import { FieldViolations, DomainError } from "../../errors.ts";
import { addressRule } from "./outbound.ts";
import {
  checkReference,
  checkSettings,
  type AwsSettings,
  type ExecSettings,
  type VaultSettings,
} from "./settings.ts";

const vault: VaultSettings = {
  kind: "VAULT",
  refreshSeconds: 300,
  pathPrefix: "",
  address: "https://vault.example.com:8200",
  namespace: "",
  mount: "secret",
  caPem: "",
  auth: "token",
  authMount: "token",
  role: "",
};
const aws: AwsSettings = {
  kind: "AWS_SM",
  refreshSeconds: 300,
  pathPrefix: "",
  region: "eu-central-1",
  endpoint: "",
  caPem: "",
  accessKeyId: "AKIAEXAMPLE000000000",
};
const exec: ExecSettings = {
  kind: "EXEC",
  refreshSeconds: 300,
  pathPrefix: "",
  command: "pass",
  backendType: "",
  configJson: "",
};

const { secretBackends: limits } = parseConfig({
  VECTORFLOW_SECRET_COMMANDS: '{"pass": ["/usr/local/bin/read-pass", "--json"]}',
  VECTORFLOW_VAULT_KUBERNETES_ADDRESSES: "https://vault.example.com:8200/",
}).config;

function fieldsOf(check: (violations: FieldViolations) => void): readonly string[] {
  const violations = new FieldViolations();
  check(violations);
  try {
    violations.throwIfAny();
    return [];
  } catch (error) {
    return error instanceof DomainError ? error.violations.map(({ field }) => field) : ["?"];
  }
}

describe("settings", () => {
  test.each([
    [vault, []],
    [{ ...vault, address: "http://127.0.0.1:8200" }, []],
    [{ ...vault, address: "http://vault.example.com:8200" }, ["vault.address"]],
    [{ ...vault, address: "http://127.evil.example:8200" }, ["vault.address"]],
    [{ ...vault, address: "https://me:pw@vault.example.com" }, ["vault.address"]],
    [{ ...vault, address: "https://vault.example.com/ui" }, ["vault.address"]],
    [{ ...vault, mount: "a/../sys" }, ["vault.mount"]],
    [{ ...vault, refreshSeconds: 5 }, ["refresh_seconds"]],
    [{ ...vault, namespace: "a\nx-evil: 1" }, ["vault.namespace"]],
    [{ ...vault, caPem: "nothing" }, ["vault.ca_pem"]],
    [{ ...vault, auth: "approle", authMount: "approle" }, ["vault.role"]],
    [{ ...vault, auth: "kubernetes", authMount: "kubernetes", role: "r" }, []],
    // The service account is shown to the addresses of the configuration only.
    [
      { ...vault, address: "https://evil.example.com", auth: "kubernetes", role: "r" },
      ["vault.auth"],
    ],
    [aws, []],
    [{ ...aws, region: "https://evil" }, ["aws.region"]],
    [{ ...aws, accessKeyId: "" }, ["aws.access_key_id"]],
    [exec, []],
    [{ ...exec, command: "/bin/sh" }, ["exec.command"]],
    [{ ...exec, command: "constructor" }, ["exec.command"]],
    [{ ...exec, configJson: "[]" }, ["exec.config_json"]],
  ] as const)("%o have problems in %o", (settings, expected) => {
    const fields = fieldsOf((violations) => checkSettings(settings, limits, violations));
    expect(fields).toEqual(expected);
  });

  test("lend the server's own identity to AWS itself only, where that is allowed", () => {
    const lent = { ...limits, awsHostIdentity: true };
    const own = { ...aws, accessKeyId: "" };
    expect(fieldsOf((violations) => checkSettings(own, lent, violations))).toEqual([]);
    const away = { ...own, endpoint: "https://evil.example.com" };
    expect(fieldsOf((violations) => checkSettings(away, lent, violations))).toEqual([
      "aws.endpoint",
    ]);
  });
});

test.each([
  [vault, "/apps/web/", "k", "3", []],
  [vault, "apps/../sys", "k", "", ["reference.path"]],
  [vault, "apps//web", "k", "", ["reference.path"]],
  [vault, "apps/web", "", "", ["reference.key"]],
  [vault, "apps/web", "k", "AWSCURRENT", ["reference.version"]],
  [{ ...vault, pathPrefix: "apps" }, "apps/web", "k", "", []],
  [{ ...vault, pathPrefix: "apps" }, "apps-of-others/web", "k", "", ["reference.path"]],
  [aws, "/prod/db", "", "AWSPREVIOUS", []],
  [aws, "arn:aws:secretsmanager:eu-central-1:1:secret:db-abcdef", "k", "", []],
  [aws, "a b", "", "", ["reference.path"]],
  [{ ...aws, pathPrefix: "prod/" }, "arn:aws:secretsmanager:x", "", "", ["reference.path"]],
  [exec, "team: db password", "", "", []],
  [exec, "a", "k", "1", ["reference.key", "reference.version"]],
] as const)("in %o, %s %s %s has problems in %o", (settings, path, key, version, expected) => {
  const reference = { path, key, version };
  expect(fieldsOf((violations) => void checkReference(reference, settings, violations))).toEqual(
    expected,
  );
});

test.each([
  ["10.1.2.3", [], true],
  ["::ffff:127.0.0.1", [], false],
  ["127.0.0.1", [], false],
  ["::1", [], false],
  ["127.0.0.1", ["127.0.0.1"], true],
  ["10.1.2.3", ["192.168.0.0/16"], false],
  ["169.254.169.254", [], false],
  ["169.254.169.254", ["169.254.0.0/16"], false],
  ["name", [], false],
] as const)("%s within %o may be called: %s", (address, networks, expected) => {
  expect(addressRule(networks)(address)).toBe(expected);
});

test.each([
  "{",
  "[]",
  '{"a b": ["/x"]}',
  '{"a": "/x"}',
  '{"a": ["x"]}',
  '{"a": []}',
  '{"a": ["/x", 1]}',
])("VECTORFLOW_SECRET_COMMANDS refuses %s", (text) => {
  expect(() => parseConfig({ VECTORFLOW_SECRET_COMMANDS: text })).toThrow(/SECRET_COMMANDS/);
});
