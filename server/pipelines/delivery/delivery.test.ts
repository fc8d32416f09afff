import { expect, test } from "vitest";
import { hashOfDelivery } from "./delivery.ts";

const secret = (name: string, digest: string) => ({ kind: "secret" as const, name, digest });

test("a delivery's hash follows everything that a node gets, in any order", () => {
  const base = hashOfDelivery("c", null, [secret("a", "1"), secret("b", "2")]);
  expect(hashOfDelivery("c", null, [secret("b", "2"), secret("a", "1")])).toBe(base);
  const others = [
    hashOfDelivery("d", null, [secret("a", "1"), secret("b", "2")]),
    hashOfDelivery("c", "debug", [secret("a", "1"), secret("b", "2")]),
    hashOfDelivery("c", null, [secret("a", "1"), secret("b", "3")]),
    hashOfDelivery("c", null, [secret("a", "1")]),
    hashOfDelivery("c", null, [secret("a", "1"), { ...secret("b", "2"), kind: "certificate" }]),
  ];
  expect(new Set([base, ...others]).size).toBe(6);
  // What was deployed before there were secrets keeps its hash, so that nothing restarts.
  expect(hashOfDelivery("c", null, [])).toBe("c");
});
