import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { UsageError, parseCommandLine } from "./config.ts";
import { parseServerAddress } from "./control/server-address.ts";
import { commandNames, helpText } from "./flags.ts";
import { pauseAfter } from "./control/control-loop.ts";

describe("parseCommandLine", () => {
  test("takes flags before the environment", () => {
    const { command, config } = parseCommandLine(
      ["run", "--server", "https://a:1", "--label", "zone=eu"],
      {
        VECTORFLOW_AGENT_SERVER: "b:2",
        VECTORFLOW_ENROLLMENT_TOKEN: "vfe_x",
      },
    );
    expect(command).toBe("run");
    expect(config).toMatchObject({ server: "https://a:1", token: "vfe_x", labels: { zone: "eu" } });
  });

  test("refuses an unknown flag", () => {
    expect(() => parseCommandLine(["run", "--sever", "a:1"], {})).toThrow(/--sever/);
  });

  test("tells all problems at once", () => {
    const parse = () => parseCommandLine(["run", "--label", "x", "--log-level", "loud"], {});
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(/--server is needed[\s\S]*--log-level[\s\S]*--label x/);
  });

  test("refuses a flag that the command does not take, and an argument too many", () => {
    expect(() => parseCommandLine(["run", "--server", "127.0.0.1", "--purge"], {})).toThrow(
      "run takes no --purge",
    );
    expect(() => parseCommandLine(["status", "now"], {})).toThrow("unexpected argument now");
    expect(() => parseCommandLine(["install-vector", "0.58.0", "0.57.0"], {})).toThrow(
      "unexpected argument 0.57.0",
    );
    expect(parseCommandLine(["install-vector", "0.58.0"], {}).argument).toBe("0.58.0");
  });

  test.each([
    ["vf.example.com", true],
    ["http://10.0.0.1:8081", true],
    ["http://[fd00::1]:8081", true],
    ["https://vf.example.com", false],
    ["127.0.0.1:8081", false],
    ["http://localhost:8081", false],
    ["http://[::1]:8081", false],
  ])("needs a word for a session without TLS with %s: %s", (server, refused) => {
    for (const command of ["run", "enroll", "install"]) {
      const parse = (...more: readonly string[]) =>
        parseCommandLine([command, "--server", server, ...more], {});
      if (refused) expect(() => parse()).toThrow(/would not be encrypted.*--allow-plaintext/);
      else expect(parse().config.server).toBe(server);
      expect(parse("--allow-plaintext").config.server).toBe(server);
    }
  });

  test("lets the health page listen to other machines only when that is meant", () => {
    const health = (...args: readonly string[]) =>
      parseCommandLine(["run", "--server", "localhost", ...args], {}).config.health;
    expect(health()).toBeUndefined();
    expect(health("--health-listen", "off")).toBeUndefined();
    expect(health("--health-listen", "127.0.0.1:8095")).toEqual({ host: "127.0.0.1", port: 8095 });
    expect(health("--health-listen", "[::1]:1")).toEqual({ host: "::1", port: 1 });
    expect(() => health("--health-listen", "0.0.0.0:8095")).toThrow(/other machines/);
    expect(health("--health-listen", "0.0.0.0:8095", "--health-public")).toMatchObject({
      port: 8095,
    });
    expect(() => health("--health-listen", "8095")).toThrow(/no HOST:PORT/);
  });

  test("tells about a proxy that cannot be used, without its password", () => {
    const parse = () =>
      parseCommandLine(["run", "--server", "https://vf.example.com"], {
        HTTPS_PROXY: "ftp://user:hunter2@proxy",
      });
    expect(parse).toThrow(/HTTPS_PROXY is no http/);
    expect(parse).not.toThrow(/hunter2/);
  });
});

test("tells about each command what it takes, and nothing of the others", () => {
  for (const command of commandNames) {
    const { topic } = parseCommandLine([command, "--help"], {});
    const text = helpText("vectorflow-agent", topic);
    expect(text).toContain(`Usage: vectorflow-agent ${command}`);
    expect(text.includes("--purge")).toBe(command === "uninstall");
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  }
  expect(helpText("vectorflow-agent", undefined)).toContain("support-bundle");
});

test.each([
  ["vf.example.com:8081", { target: "vf.example.com:8081", tls: false }],
  ["http://10.0.0.1:9000", { target: "10.0.0.1:9000", tls: false }],
  ["https://vf.example.com", { target: "vf.example.com:443", tls: true }],
  ["ftp://x", undefined],
  ["https://x/path", undefined],
] as const)("parseServerAddress(%s)", (text, expected) => {
  if (expected === undefined) expect(parseServerAddress(text)).toBeUndefined();
  else expect(parseServerAddress(text)).toMatchObject(expected);
});

test("a refused node tries again slowly, a lost one soon (P8)", () => {
  const end = (code: status) => ({ code, reason: "", welcomed: false });
  expect(pauseAfter(end(status.UNAVAILABLE), 0, 0.5)).toBeLessThanOrEqual(1000);
  expect(pauseAfter(end(status.UNAUTHENTICATED), 0, 0)).toBeGreaterThanOrEqual(30_000);
  expect(pauseAfter(end(status.UNAVAILABLE), 50, 0.999)).toBeLessThanOrEqual(30_000);
});
