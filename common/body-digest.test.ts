import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bodyDigest, type DigestedBody } from "./body-digest.ts";

const body: DigestedBody = {
  configYaml: "sources: {}\n",
  logLevel: "info",
  secrets: [
    ["b", Buffer.from("two")],
    ["a", Buffer.from("one")],
  ],
  certificates: [{ name: "ca", filename: "ca.pem", content: Buffer.from("pem") }],
};

describe("bodyDigest", () => {
  test("is what the protocol says, so that another implementation can be held to it", () => {
    expect(bodyDigest(body).toString("hex")).toBe(
      "441d498dfbb9f98a2e945c73a0af288f0985298e28e33ce99a78e47ddba3553e",
    );
  });

  test("is the example of the protocol's documentation", () => {
    const text = readFileSync(new URL("../docs/agent-protocol.md", import.meta.url), "utf8");
    expect(text).toContain(bodyDigest(body).toString("hex"));
  });

  test("does not depend on the order of secrets", () => {
    expect(bodyDigest({ ...body, secrets: [...body.secrets].toReversed() })).toEqual(
      bodyDigest(body),
    );
  });

  test.each<readonly [string, Partial<DigestedBody>]>([
    ["configuration", { configYaml: "sources: {}" }],
    ["log level", { logLevel: "debug" }],
    ["secret", { secrets: [["a", Buffer.from("one")]] }],
    ["secret's value", { secrets: [...body.secrets].map(([name]) => [name, Buffer.from("x")]) }],
    ["certificate", { certificates: [] }],
    ["border between two parts", { configYaml: "sources: {}\ni", logLevel: "nfo" }],
  ])("changes with another %s", (_name, other) => {
    expect(bodyDigest({ ...body, ...other })).not.toEqual(bodyDigest(body));
  });
});
