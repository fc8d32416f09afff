import { create } from "@bufbuild/protobuf";
import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { VariableSchema } from "#gen/vectorflow/v1/variable_pb.ts";
import {
  MissingVariableSchema,
  VariableEffectSchema,
} from "#gen/vectorflow/v1/variable_service_pb.ts";

import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

const use = { pipelineId: "pipe-1", pipelineName: "auth-logs", draft: true, deployed: true };

function withVariable(): FakeWorld {
  const world = new FakeWorld();
  world.variables.variables.set(
    "size",
    create(VariableSchema, {
      id: "size",
      name: "size",
      value: "100",
      uses: [{ ...use, deployedValue: "50" }],
    }),
  );
  return world;
}

test("says what variables are for, and creates the one that pipelines miss", async () => {
  const world = new FakeWorld();
  world.variables.missing = [create(MissingVariableSchema, { name: "host", uses: [use] })];
  const { user } = renderApp("/e/env-1/variables", world);
  expect(await screen.findByText("No variables")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Create host" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByLabelText<HTMLInputElement>("Name").value).toBe("host");
  await user.type(within(dialog).getByLabelText("Value"), "logs.example.com");
  await user.click(within(dialog).getByRole("button", { name: "Create variable" }));
  expect(await screen.findByRole("rowheader", { name: "host" })).toBeTruthy();
  expect(screen.queryByText(/does not exist/)).toBeNull();
});

test("says whom a change changes before it is made, and deploys them with it", async () => {
  const world = withVariable();
  world.variables.effects = [
    create(VariableEffectSchema, { name: "auth-logs", componentKeys: ["out"], nodeCount: 3 }),
  ];
  const { user } = renderApp("/e/env-1/variables", world);
  expect((await screen.findByText(/Runs with another value/)).textContent).toContain(
    "auth-logs (50)",
  );
  await user.click(screen.getByRole("button", { name: "Change size" }));
  const dialog = await screen.findByRole("dialog");
  const value = within(dialog).getByLabelText("Value");
  await user.clear(value);
  await user.type(value, "200");
  await user.click(within(dialog).getByRole("button", { name: "Review change" }));
  expect((await within(dialog).findByRole("listitem")).textContent).toBe(
    "auth-logs on 3 hosts (out)",
  );
  expect(world.variables.variables.get("size")?.value).toBe("100");
  await user.click(within(dialog).getByRole("button", { name: "Save and deploy 1 pipeline" }));
  expect(await screen.findByText("Deployed with it: auth-logs")).toBeTruthy();
  expect(world.variables.variables.get("size")?.value).toBe("200");
});

test.each([
  { errors: ["out: must be a number"] },
  { componentKeys: ["out"], failedTests: ["out: must be a number"] },
])("offers no deploy of what would be refused: %o", async (effect) => {
  const world = withVariable();
  world.variables.effects = [create(VariableEffectSchema, { name: "auth-logs", ...effect })];
  const { user } = renderApp("/e/env-1/variables", world);
  await user.click(await screen.findByRole("button", { name: "Change size" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Review change" }));
  expect(await within(dialog).findByText("out: must be a number")).toBeTruthy();
  const deploy = within(dialog).getByRole("button", { name: /^Save and deploy/ });
  await user.click(deploy);
  expect(world.variables.variables.get("size")?.value).toBe("100");
});

test("a viewer reads values and changes nothing", async () => {
  const world = withVariable();
  world.user = { ...world.user, superAdmin: false };
  for (const environment of world.environments) environment.role = Role.VIEWER;
  renderApp("/e/env-1/variables", world);
  expect(await screen.findByText("100")).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Create variable" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Change size" })).toBeNull();
});
