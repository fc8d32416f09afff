import { screen } from "@solidjs/testing-library";
import { Code, ConnectError } from "@connectrpc/connect";
import { expect, test } from "vitest";

import type { StreamStatus } from "../api/stream-supervisor.ts";
import { aHost } from "../testing/builders.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { describeStatus } from "./connection-chip.tsx";

function twoEnvironments(): FakeWorld {
  const world = new FakeWorld();
  const [production] = world.environments;
  if (production) world.environments.push({ ...production, id: "env-2", name: "Staging" });
  world.putHost(aHost());
  return world;
}

test("the start leads to the environment that was used last", async () => {
  localStorage.setItem("vectorflow.environment", "env-2");
  const { path } = renderApp("/", twoEnvironments());
  await expect.poll(path).toBe("/e/env-2/hosts");
});

test("another environment is one choice away, and is remembered", async () => {
  const { user, path } = renderApp("/e/env-1/pipelines", twoEnvironments());
  await user.selectOptions(await screen.findByLabelText("Environment"), "Staging");
  await expect.poll(path).toBe("/e/env-2/pipelines");
  await expect.poll(() => localStorage.getItem("vectorflow.environment")).toBe("env-2");
});

test("says that it is live", async () => {
  renderApp("/e/env-1/hosts", twoEnvironments());
  expect(await screen.findByText("Live")).toBeTruthy();
});

test.each<[StreamStatus, string]>([
  [{ kind: "connecting" }, "Connecting…"],
  [{ kind: "live" }, "Live"],
  [{ kind: "stale", retryAt: 4_200 }, "Reconnecting in 4 s"],
  [{ kind: "stale", retryAt: 900 }, "Reconnecting…"],
  [{ kind: "stale", retryAt: undefined }, "Paused"],
  [{ kind: "offline" }, "Offline"],
])("%o reads as %s", (status, expected) => {
  expect(describeStatus(status, 1_000).word).toBe(expected);
});

test("a choice of theme is applied and kept", async () => {
  const { user } = renderApp("/e/env-1/hosts", twoEnvironments());
  const theme = await screen.findByLabelText("Theme");
  await user.selectOptions(theme, "Dark theme");
  expect(document.documentElement.dataset["theme"]).toBe("dark");
  expect(localStorage.getItem("vectorflow.theme")).toBe("dark");
  await user.selectOptions(theme, "System theme");
  expect(document.documentElement.dataset["theme"]).toBeUndefined();
});

test("signing out leads to the login", async () => {
  const { world, user, path } = renderApp("/e/env-1/hosts", twoEnvironments());
  await user.click(await screen.findByRole("button", { name: "Sign out" }));
  expect(await screen.findByRole("button", { name: "Sign in" })).toBeTruthy();
  await expect.poll(path).toMatch(/^\/login/);
  expect(world.signedIn).toBe(false);
});

test("a session that ends leads to the login, and back after it", async () => {
  const { world, path } = renderApp("/e/env-1/hosts", twoEnvironments());
  await screen.findByRole("link", { name: "edge-01" });
  world.signedIn = false;
  world.publish({});
  await expect.poll(path).toBe("/login?return=%2Fe%2Fenv-1%2Fhosts");
  expect(await screen.findByText("Sign in to go on where you were.")).toBeTruthy();
});

test("a server that is away can be tried again", async () => {
  const world = twoEnvironments();
  for (let attempt = 0; attempt < 3; attempt++) {
    world.failNext("getSession", new ConnectError("broken", Code.Internal));
  }
  const { user } = renderApp("/e/env-1/hosts", world);
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toMatch("VectorFlow could not be loaded");
  for (let attempt = 0; attempt < 3; attempt++) {
    await user.click(await screen.findByRole("button", { name: "Retry" }));
  }
  expect(await screen.findByRole("link", { name: "edge-01" })).toBeTruthy();
});

test.each(["/nothing/here", "/e/ghost/hosts", "/e/env-1/nothing"])(
  "%s is not found",
  async (path) => {
    renderApp(path, twoEnvironments());
    expect(await screen.findByRole("heading", { name: "Page not found" })).toBeTruthy();
  },
);
