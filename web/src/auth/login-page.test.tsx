import { screen } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { aHost } from "../testing/builders.ts";
import { fakeCode } from "../testing/fake-access.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

function signedOut(): FakeWorld {
  const world = new FakeWorld();
  world.signedIn = false;
  return world;
}

test("leads back to where a person wanted to go", async () => {
  const world = signedOut();
  world.putHost(aHost());
  const { user, path } = renderApp("/e/env-1/hosts?q=edge", world);
  await user.type(await screen.findByLabelText("E-mail"), "anna@example.net");
  expect(path()).toBe("/login?return=%2Fe%2Fenv-1%2Fhosts%3Fq%3Dedge");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("link", { name: "edge-01" })).toBeTruthy();
  expect(path()).toBe("/e/env-1/hosts?q=edge");
});

test("says that the password is wrong, and keeps what was typed", async () => {
  const { user } = renderApp("/login", signedOut());
  await user.type(await screen.findByLabelText("E-mail"), "anna@example.net");
  await user.type(screen.getByLabelText("Password"), "guess");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect((await screen.findByRole("alert")).textContent).toBe("Wrong e-mail or password.");
  expect(screen.getByLabelText<HTMLInputElement>("E-mail").value).toBe("anna@example.net");
});

test("asks for what is missing without asking the server", async () => {
  const { user } = renderApp("/login", signedOut());
  await user.click(await screen.findByRole("button", { name: "Sign in" }));
  expect(screen.getByText("Enter your e-mail address.")).toBeTruthy();
  expect(document.activeElement).toBe(screen.getByLabelText("E-mail"));
});

test("leads to the first run when that is still to be done", async () => {
  const world = signedOut();
  world.setupRequired = true;
  const { path } = renderApp("/", world);
  expect(await screen.findByRole("button", { name: "Create account" })).toBeTruthy();
  await expect.poll(path).toBe("/setup");
});

test("asks for the code of the app after the password, and says when it is wrong", async () => {
  const world = signedOut();
  world.user = { ...world.user, secondFactor: true };
  world.putHost(aHost());
  const { user } = renderApp("/login", world);
  await user.type(await screen.findByLabelText("E-mail"), "anna@example.net");
  await user.type(screen.getByLabelText("Password"), "correct horse");
  expect(screen.queryByLabelText("Code")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  await user.type(await screen.findByLabelText("Code"), "000000");
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect((await screen.findByRole("alert")).textContent).toMatch(/code is wrong/);
  await user.clear(screen.getByLabelText("Code"));
  await user.type(screen.getByLabelText("Code"), fakeCode);
  await user.click(screen.getByRole("button", { name: "Sign in" }));
  expect(await screen.findByRole("link", { name: "edge-01" })).toBeTruthy();
});

test("offers the provider, and says what went wrong with it", async () => {
  const world = signedOut();
  world.access.authentication = {
    ...world.access.authentication,
    enabled: true,
    displayName: "Example ID",
  };
  renderApp("/login?return=%2Fe%2Fenv-1%2Fhosts&error=account_exists", world);
  const link = await screen.findByRole("link", { name: "Sign in with Example ID" });
  expect(link.getAttribute("href")).toBe("/auth/oidc/start?return=%2Fe%2Fenv-1%2Fhosts");
  expect(screen.getByText(/already an account with your e-mail/)).toBeTruthy();
});
