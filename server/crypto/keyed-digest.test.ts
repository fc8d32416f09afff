import { expect, test } from "vitest";
import { KeyedDigest } from "./keyed-digest.ts";

test("a digest tells equal values of one thing, and nothing without the key", () => {
  const digests = new KeyedDigest("a secret of forty characters for testing");
  const digest = digests.digest("Secret/e/a", "1234");
  expect(digest).toMatch(/^[0-9a-f]{64}$/);
  expect(digests.digest("Secret/e/a", "1234")).toBe(digest);
  expect(digests.digest("Secret/e/a", "1235")).not.toBe(digest);
  expect(digests.digest("Secret/e/b", "1234")).not.toBe(digest);
  const other = new KeyedDigest("another secret of forty characters, newer");
  expect(other.digest("Secret/e/a", "1234")).not.toBe(digest);
});
