import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";

import { failure } from "../testing/fake-world.ts";
import { isRetryable, isSignedOut, isStale, toUiError } from "./errors.ts";

test("says what the server said, as a sentence", () => {
  const error = failure(Code.AlreadyExists, "the name is taken", "pipeline_name_taken", [
    { field: "name", message: "another pipeline has this name" },
  ]);
  expect(toUiError(error)).toEqual({
    kind: "conflict",
    message: "The name is taken.",
    reason: "pipeline_name_taken",
    violations: [{ field: "name", message: "Another pipeline has this name." }],
  });
});

// The browser's "Failed to fetch" arrives as code unknown, not as unavailable.
test("knows a lost network", () => {
  const lost = ConnectError.from(new TypeError("Failed to fetch"));
  expect(toUiError(lost)).toMatchObject({
    kind: "unreachable",
    message: "The server cannot be reached.",
  });
  expect(isRetryable(lost)).toBe(true);
});

test("never shows the text of an internal error", () => {
  const error = new ConnectError("null is not an object", Code.Internal);
  expect(toUiError(error).message).toBe("The server had an unexpected problem.");
  expect(toUiError(new Error("boom")).kind).toBe("internal");
});

test("tells the codes apart that pages act on", () => {
  expect(isSignedOut(new ConnectError("x", Code.Unauthenticated))).toBe(true);
  expect(isStale(new ConnectError("x", Code.Aborted))).toBe(true);
  expect(isRetryable(new ConnectError("x", Code.InvalidArgument))).toBe(false);
});
