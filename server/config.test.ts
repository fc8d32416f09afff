import { expect, test } from "vitest";
import { ConfigError, parseConfig } from "./config.ts";

test("has usable defaults", () => {
  const { config, warnings } = parseConfig({});
  expect(config.http).toEqual({ host: "127.0.0.1", port: 8080 });
  expect(config.agent.port).toBe(8081);
  expect(warnings).toEqual([]);
});

test("tells all problems at once and warns of unknown keys", () => {
  const env = {
    VECTORFLOW_HTTP_LISTEN: "nowhere",
    VECTORFLOW_DATABASE_URL: "mysql://x",
    VECTORFLOW_LOG_LEVEL: "loud",
  };
  const problems = (() => {
    try {
      parseConfig(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
    }
    return [];
  })();
  expect(problems).toHaveLength(4);
  expect(parseConfig({ VECTORFLOW_HTTP_LISTN: "x" }).warnings).toEqual(["VECTORFLOW_HTTP_LISTN"]);
});

test("reads a key from a file, and refuses it both ways", () => {
  const secret = "s".repeat(40);
  const { config } = parseConfig({ VECTORFLOW_SECRET_FILE: "/run/secret" }, () => `${secret}\n`);
  expect(config.secret).toBe(secret);
  const both = { VECTORFLOW_SECRET: secret, VECTORFLOW_SECRET_FILE: "/run/secret" };
  expect(() => parseConfig(both, () => secret)).toThrow(/keep one/);
});

test("takes an empty value for unset, and the second name of the secret", () => {
  const env = { VECTORFLOW_SECRET: "", NEXTAUTH_SECRET: "n".repeat(40) };
  expect(parseConfig(env).config.secret).toBe("n".repeat(40));
});

test("takes networks of trusted proxies, and names the one that is none", () => {
  const env = { VECTORFLOW_TRUSTED_PROXIES: "10.0.0.0/8, fd00::/8" };
  expect(parseConfig(env).config.trustedProxies).toEqual(["10.0.0.0/8", "fd00::/8"]);
  expect(() => parseConfig({ VECTORFLOW_TRUSTED_PROXIES: "10.0.0.0/8,proxy" })).toThrow(/"proxy"/);
});
