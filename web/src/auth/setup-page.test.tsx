import { screen } from "@solidjs/testing-library";
import { Code } from "@connectrpc/connect";
import type { UserEvent } from "@testing-library/user-event";
import { expect, test } from "vitest";

import { failure, FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

function fresh(): FakeWorld {
  const world = new FakeWorld();
  world.signedIn = false;
  world.setupRequired = true;
  return world;
}

async function fillIn(user: UserEvent): Promise<void> {
  await user.type(await screen.findByLabelText("E-mail"), "anna@example.net");
  await user.type(screen.getByLabelText("Name"), "Anna Berg");
  await user.type(screen.getByLabelText("Password"), "correct horse");
}

test("creates the first account with the token of the address", async () => {
  const { world, user, path } = renderApp("/setup?token=setup-token", fresh());
  await fillIn(user);
  expect(screen.getByLabelText<HTMLInputElement>("Create a demo pipeline").checked).toBe(true);
  expect(screen.getByLabelText("Team")).toBeTruthy();
  expect(screen.getByLabelText("Environment")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Create account" }));
  await expect.poll(path).toBe("/e/env-1/hosts");
  expect(world.setupRequired).toBe(false);
});

test("shows the server's violations under their fields", async () => {
  const world = fresh();
  world.failNext(
    "completeSetup",
    failure(Code.InvalidArgument, "bad fields", "invalid_setup", [
      { field: "password", message: "is one of the most common ones" },
    ]),
  );
  const { user } = renderApp("/setup?token=setup-token", world);
  await fillIn(user);
  await user.click(screen.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText("Is one of the most common ones.")).toBeTruthy();
  expect(document.activeElement).toBe(screen.getByLabelText("Password"));
});

test("says that the token is wrong", async () => {
  const { user } = renderApp("/setup?token=old", fresh());
  await fillIn(user);
  await user.click(screen.getByRole("button", { name: "Create account" }));
  expect((await screen.findByRole("alert")).textContent).toBe("The setup token is wrong.");
});

test("asks for the token when the address has none", async () => {
  renderApp("/setup", fresh());
  expect(await screen.findByLabelText("Setup token")).toBeTruthy();
});

test("is closed once it has been done", async () => {
  renderApp("/setup", new FakeWorld());
  expect(await screen.findByText("VectorFlow is set up")).toBeTruthy();
});
