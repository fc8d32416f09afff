import { expect, test } from "vitest";

import { loginPath, safeReturnPath } from "./return-path.ts";

test.each([
  ["/e/env-1/hosts?q=x", "/e/env-1/hosts?q=x"],
  ["//evil.example/x", "/"],
  ["/\\evil.example", "/"],
  ["https://evil.example", "/"],
  ["javascript:alert(1)", "/"],
  ["/login?return=/login", "/"],
  ["", "/"],
  [undefined, "/"],
])("%s leads to %s", (value, expected) => {
  expect(safeReturnPath(value)).toBe(expected);
});

test("a login remembers where it came from", () => {
  expect(loginPath({ pathname: "/e/a", search: "?q=b c" })).toBe(
    "/login?return=%2Fe%2Fa%3Fq%3Db%20c",
  );
  expect(loginPath({ pathname: "/", search: "" })).toBe("/login");
});
