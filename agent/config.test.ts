import { status } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { UsageError, parseCommandLine } from "./config.ts";
import { parseServerAddress } from "./control/channel.ts";
import { pauseAfter } from "./control/control-loop.ts";

describe("parseCommandLine", () => {
  test("takes flags before the environment", () => {
    const { command, config } = parseCommandLine(["run", "--server", "a:1", "--label", "zone=eu"], {
      VECTORFLOW_AGENT_SERVER: "b:2",
      VECTORFLOW_ENROLLMENT_TOKEN: "vfe_x",
    });
    expect(command).toBe("run");
    expect(config).toMatchObject({ server: "a:1", token: "vfe_x", labels: { zone: "eu" } });
  });

  test("refuses an unknown flag", () => {
    expect(() => parseCommandLine(["run", "--sever", "a:1"], {})).toThrow(/--sever/);
  });

  test("tells all problems at once", () => {
    const parse = () => parseCommandLine(["run", "--label", "x", "--log-level", "loud"], {});
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(/--server is needed[\s\S]*--log-level[\s\S]*--label x/);
  });
});

test.each([
  ["vf.example.com:8081", { target: "vf.example.com:8081", tls: false }],
  ["http://10.0.0.1:9000", { target: "10.0.0.1:9000", tls: false }],
  ["https://vf.example.com", { target: "vf.example.com:443", tls: true }],
  ["ftp://x", undefined],
  ["https://x/path", undefined],
] as const)("parseServerAddress(%s)", (text, expected) => {
  expect(parseServerAddress(text)).toEqual(expected);
});

test("a refused node tries again slowly, a lost one soon (P8)", () => {
  const end = (code: status) => ({ code, reason: "", welcomed: false });
  expect(pauseAfter(end(status.UNAVAILABLE), 0, 0.5)).toBeLessThanOrEqual(1000);
  expect(pauseAfter(end(status.UNAUTHENTICATED), 0, 0)).toBeGreaterThanOrEqual(30_000);
  expect(pauseAfter(end(status.UNAVAILABLE), 50, 0.999)).toBeLessThanOrEqual(30_000);
});
