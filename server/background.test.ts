import { expect, test } from "vitest";
import { Background } from "./background.ts";

test("the end waits for what is at work, for what that begins, and for what fails", async () => {
  const background = new Background();
  const first = Promise.withResolvers<void>();
  const second = Promise.withResolvers<void>();
  const failing = background.track(Promise.reject(new Error("lost")));
  void background.track(first.promise.then(() => void background.track(second.promise)));
  let ended = false;
  const end = background[Symbol.asyncDispose]().then(() => (ended = true));
  await expect(failing).rejects.toThrow("lost");
  first.resolve();
  await new Promise(setImmediate);
  expect(ended).toBe(false);
  second.resolve();
  await end;
});
