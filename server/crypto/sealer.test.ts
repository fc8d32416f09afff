import { describe, expect, test } from "vitest";
import { SealError, Sealer } from "./sealer.ts";

const secret = "a secret of forty characters for testing";

describe("Sealer", () => {
  test("opens what it sealed, and never seals alike twice", () => {
    const sealer = new Sealer(secret);
    const text = sealer.seal("User.totpSecret/u1", "grün");
    expect(sealer.open("User.totpSecret/u1", text).toString()).toBe("grün");
    expect(text).not.toContain("grün");
    expect(sealer.seal("User.totpSecret/u1", "grün")).not.toBe(text);
  });

  test("does not open in another row, nor after a change", () => {
    const sealer = new Sealer(secret);
    const text = sealer.seal("User.totpSecret/u1", "x");
    expect(() => sealer.open("User.totpSecret/u2", text)).toThrow(SealError);
    const [version, key, body = ""] = text.split(".");
    const bytes = Buffer.from(body, "base64url");
    bytes[12] = (bytes[12] ?? 0) ^ 1;
    const changed = [version, key, bytes.toString("base64url")].join(".");
    expect(() => sealer.open("User.totpSecret/u1", changed)).toThrow(SealError);
    expect(() => sealer.open("User.totpSecret/u1", "v1")).toThrow(SealError);
  });

  test("reads what an earlier secret sealed, and seals with the new one", () => {
    const old = new Sealer(secret).seal("c", "x");
    const rotated = new Sealer("another secret of forty characters, newer", [secret]);
    expect(rotated.open("c", old).toString()).toBe("x");
    expect(() => new Sealer(secret).open("c", rotated.seal("c", "x"))).toThrow(/VECTORFLOW_SECRET/);
  });
});
