import { expect, test } from "vitest";
import { cleanEvent } from "./event-text.ts";

test.each([
  ['{"a":12345678901234567890,"b":1.0}', '{"a":12345678901234567890,"b":1.0}'],
  ['{"a":"\\u0000x"}', '{"a":"\uFFFDx"}'],
  ['{"a\\ud800":"\\udc00"}', '{"a\uFFFD":"\uFFFD"}'],
  ['{"a":"\\ud83d\\ude00"}', '{"a":"😀"}'],
  ["{half", undefined],
  ["", undefined],
  [`"${"x".repeat(2000)}"`, undefined],
])("%s", (json, clean) => {
  expect(cleanEvent(json, 1000)).toBe(clean);
});
