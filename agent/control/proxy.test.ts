import { expect, test } from "vitest";
import { scrubbedEnvironment } from "../vector/environment.ts";
import { ProxyError, isLoopback, proxyFor } from "./proxy.ts";

const server = { host: "vf.example.com", port: 8081, tls: true };
const proxy = "http://proxy.test:3128";

test.each([
  [{}, undefined],
  [{ HTTPS_PROXY: proxy }, "proxy.test"],
  [{ https_proxy: proxy, HTTPS_PROXY: "http://other.test" }, "proxy.test"],
  [{ HTTP_PROXY: proxy }, undefined],
  [{ HTTPS_PROXY: proxy, NO_PROXY: "*" }, undefined],
  [{ HTTPS_PROXY: proxy, NO_PROXY: "a.test, vf.example.com" }, undefined],
  [{ HTTPS_PROXY: proxy, NO_PROXY: ".example.com" }, undefined],
  [{ HTTPS_PROXY: proxy, no_proxy: "example.com" }, undefined],
  [{ HTTPS_PROXY: proxy, NO_PROXY: "xample.com" }, "proxy.test"],
  [{ HTTPS_PROXY: proxy, NO_PROXY: "vf.example.com:8081" }, undefined],
  [{ HTTPS_PROXY: proxy, NO_PROXY: "vf.example.com:9999" }, "proxy.test"],
  [{ HTTPS_PROXY: "" }, undefined],
])("the proxy for an encrypted session with %j is %s", (env, expected) => {
  expect(proxyFor(server, env)?.host).toBe(expected);
});

test.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["[fd00::5]", "fd00::/8", true],
  ["[fd00::5]", "fd00::5", true],
  ["10.1.2.3", "10.0.0.0/99", false],
  ["10.1.2.3", "2.3", false],
])("%s is excluded by %s: %s", (host, list, excluded) => {
  const found = proxyFor({ ...server, host }, { HTTPS_PROXY: proxy, NO_PROXY: list });
  expect(found === undefined).toBe(excluded);
});

test("this machine is never reached through a proxy", () => {
  for (const host of ["localhost", "127.0.0.1", "127.8.9.1", "[::1]", "a.localhost"]) {
    expect(isLoopback(host)).toBe(true);
    expect(proxyFor({ ...server, host }, { HTTPS_PROXY: proxy })).toBeUndefined();
  }
  for (const host of ["127.example.com", "localhost.example.com", "10.0.0.1", "0.0.0.0", "[::]"]) {
    expect(isLoopback(host)).toBe(false);
  }
});

test("reads the sign-in, and never shows it", () => {
  const found = proxyFor(server, { HTTPS_PROXY: "user:p%40ss@proxy.test" });
  expect(found).toEqual({
    host: "proxy.test",
    port: 80,
    tls: false,
    authorization: `Basic ${Buffer.from("user:p@ss").toString("base64")}`,
  });
  const wrong = () => proxyFor(server, { HTTPS_PROXY: "socks5://user:hunter2@proxy.test" });
  expect(wrong).toThrow(ProxyError);
  expect(wrong).not.toThrow(/hunter2/);
});

test("Vector sees no proxy of the agent's (A14)", () => {
  const env = { HTTPS_PROXY: "http://user:secret@proxy.test", https_proxy: "x", PATH: "/bin" };
  expect(scrubbedEnvironment(env)).toEqual({ PATH: "/bin" });
});
