import { describe, expect, test } from "vitest";
import {
  acceptedStep,
  hashBackupCode,
  newBackupCodes,
  newTotpSecret,
  totpCode,
  totpUri,
  withoutBackupCode,
} from "./totp.ts";

const at = (seconds: number): Date => new Date(seconds * 1000);

describe("a code", () => {
  // The secret and codes of RFC 6238, appendix B, cut to six digits.
  const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

  test.each([
    [59, "287082"],
    [1_111_111_109, "081804"],
    [2_000_000_000, "279037"],
  ])("is the one of RFC 6238 at %i", (seconds, code) => {
    expect(totpCode(secret, at(seconds))).toBe(code);
    expect(acceptedStep(secret, code, at(seconds), undefined)).toBe(Math.floor(seconds / 30));
  });

  test("works one step early or late, and not two", () => {
    const code = totpCode(secret, at(3000));
    expect(
      [2940, 2970, 3000, 3030, 3060].map((now) => acceptedStep(secret, code, at(now), undefined)),
    ).toEqual([undefined, 100, 100, 100, undefined]);
  });

  test("never works twice, nor after a later one", () => {
    const code = totpCode(secret, at(3000));
    expect(acceptedStep(secret, code, at(3000), 99)).toBe(100);
    expect(acceptedStep(secret, code, at(3010), 100)).toBeUndefined();
    expect(acceptedStep(secret, code, at(3010), 101)).toBeUndefined();
  });

  test("is six digits, with blanks where people put them", () => {
    const code = totpCode(secret, at(3000));
    const blanks = `${code.slice(0, 3)} ${code.slice(3)}`;
    expect(acceptedStep(secret, blanks, at(3000), undefined)).toBe(100);
    expect(acceptedStep(secret, "", at(3000), undefined)).toBeUndefined();
    expect(acceptedStep(secret, "12345x", at(3000), undefined)).toBeUndefined();
  });
});

test("the address for apps names us and the person", () => {
  const secret = newTotpSecret();
  const uri = new URL(totpUri(secret, "a@example.com"));
  expect(uri.searchParams.get("secret")).toBe(secret);
  expect(uri.searchParams.get("issuer")).toBe("VectorFlow");
  expect(decodeURIComponent(uri.pathname)).toContain("a@example.com");
});

test("a backup code works once, however it is typed", () => {
  const codes = newBackupCodes();
  expect(new Set(codes).size).toBe(10);
  const hashes = codes.map(hashBackupCode);
  const typed = (codes[3] ?? "").toUpperCase().replace("-", " ");
  const rest = withoutBackupCode(hashes, typed) ?? [];
  expect(rest).toHaveLength(9);
  expect(withoutBackupCode(rest, codes[3] ?? "")).toBeUndefined();
});
