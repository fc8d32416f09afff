import { create } from "@bufbuild/protobuf";
import { screen } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { EnrollmentRefusal, RefusedEnrollmentSchema } from "#gen/vectorflow/v1/environment_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { toTimestamp } from "../lib/time.ts";
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

test("says which hosts were refused, from where and why, page by page", async () => {
  const world = new FakeWorld();
  world.refusals = Array.from({ length: 12 }, (_, at) =>
    create(RefusedEnrollmentSchema, {
      id: `refusal-${at}`,
      time: toTimestamp(Date.now() - at * 60_000),
      ipAddress: `192.0.2.${at}`,
      hostname: `late-${at}`,
      reason: EnrollmentRefusal.TOKEN_REPLACED,
    }),
  );
  const { user } = renderApp("/e/env-1/hosts/add", world);
  const row = await screen.findByRole("row", { name: /late-3 192\.0\.2\.3/ });
  expect(row.textContent).toMatch(/3 min.*replaced by a newer one/);
  expect(screen.queryByText("late-11")).toBeNull();
  await user.click(screen.getByRole("button", { name: "Older" }));
  expect(await screen.findByText("late-11")).toBeTruthy();
});

test("who may not add hosts is not told of refusals, nor asks for them", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, superAdmin: false };
  world.environments = world.environments.map((environment) => ({
    ...environment,
    role: Role.EDITOR,
  }));
  world.refusals = [create(RefusedEnrollmentSchema, { id: "refusal", hostname: "late" })];
  renderApp("/e/env-1/hosts/add", world);
  await screen.findByRole("button", { name: "Create enrol command" });
  expect(screen.queryByText("late")).toBeNull();
});
