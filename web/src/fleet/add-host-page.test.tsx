import { screen } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { aHost } from "../testing/builders.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

test("gives a command and waits until a host appears", async () => {
  const world = new FakeWorld();
  world.putHost(aHost({ name: "old-01" }));
  const { user } = renderApp("/e/env-1/hosts/add", world);
  await user.click(await screen.findByRole("button", { name: "Create enrol command" }));
  expect((await screen.findByLabelText("Enrol command")).textContent).toMatch("--token vfe_");
  expect(screen.getByText("Waiting for the host to connect…")).toBeTruthy();
  world.putHost(aHost({ name: "new-01", simulated: true }));
  expect(await screen.findByText("new-01")).toBeTruthy();
  expect(screen.getByText("simulated")).toBeTruthy();
  expect(screen.queryByText("old-01")).toBeNull();
  const open = screen.getByRole("link", { name: "Open" });
  expect(open.getAttribute("href")).toBe("/e/env-1/hosts/new-01");
});

test("makes no token before it is asked for one, and says what a new one does", async () => {
  const world = new FakeWorld();
  world.environments = world.environments.map((environment) => ({
    ...environment,
    enrollmentTokenHint: "vfe_abc",
  }));
  renderApp("/e/env-1/hosts/add", world);
  expect(await screen.findByText("vfe_abc…")).toBeTruthy();
  expect(world.enrollmentTokens).toBe(0);
});

test("people who may not add hosts are told so", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, superAdmin: false };
  world.environments = world.environments.map((environment) => ({
    ...environment,
    role: Role.VIEWER,
  }));
  const { user } = renderApp("/e/env-1/hosts/add", world);
  const button = await screen.findByRole("button", { name: "Create enrol command" });
  expect(button.getAttribute("aria-disabled")).toBe("true");
  await user.click(button);
  expect(world.enrollmentTokens).toBe(0);
});
