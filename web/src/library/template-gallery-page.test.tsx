import { create } from "@bufbuild/protobuf";
import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { TemplateParameterType, TemplateSchema } from "#gen/vectorflow/v1/template_pb.ts";

import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

function withTemplates(): FakeWorld {
  const world = new FakeWorld();
  for (const template of [
    {
      id: "own",
      name: "To HTTP",
      category: "Own",
      yaml: "sources: {}\n# to PARAM[host]\n",
      parameters: [{ name: "host", type: TemplateParameterType.TEXT, required: true }],
    },
    { id: "shipped", name: "Syslog to Loki", category: "Search", builtIn: true },
  ]) {
    world.templates.templates.set(template.id, create(TemplateSchema, template));
  }
  return world;
}

test("shows templates by category, and makes a draft of one with what is filled in", async () => {
  const world = withTemplates();
  const { user } = renderApp("/e/env-1/templates", world);
  expect(await screen.findByRole("heading", { name: "Syslog to Loki" })).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Own" }));
  expect(screen.queryByRole("heading", { name: "Syslog to Loki" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Use To HTTP" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "Made");
  await user.click(within(dialog).getByRole("button", { name: "Create draft" }));
  expect(await within(dialog).findByText("Is required.")).toBeTruthy();
  await user.type(within(dialog).getByLabelText("host"), "example.com");
  await user.click(within(dialog).getByRole("button", { name: "Preview" }));
  expect((await within(dialog).findByLabelText("Configuration")).textContent).toContain(
    "to example.com",
  );
  await user.click(within(dialog).getByRole("button", { name: "Create draft" }));
  await expect.poll(() => world.templates.made).toMatchObject([{ name: "Made" }]);
});

test("lets the team's own be edited and deleted, and those that ship be used only", async () => {
  const world = withTemplates();
  const { user } = renderApp("/e/env-1/templates", world);
  expect(await screen.findByRole("button", { name: "Use Syslog to Loki" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Edit Syslog to Loki" })).toBeNull();
  await user.click(screen.getByRole("button", { name: "Edit To HTTP" }));
  const dialog = await screen.findByRole("dialog");
  const fallback = await within(dialog).findByLabelText("Default of host");
  await user.type(fallback, "example.com");
  await user.click(within(dialog).getByRole("button", { name: "Save template" }));
  expect(await screen.findByText("The template To HTTP was saved")).toBeTruthy();
  expect(world.templates.templates.get("own")?.parameters[0]?.default).toBe("example.com");
  await user.click(await screen.findByRole("button", { name: "Delete To HTTP" }));
  const question = await screen.findByRole("dialog");
  await user.click(within(question).getByRole("button", { name: "Delete template" }));
  await expect.poll(() => world.templates.templates.has("own")).toBe(false);
});

test("an edit of what somebody else changed meanwhile is told, and what is typed stays", async () => {
  const world = withTemplates();
  const { user } = renderApp("/e/env-1/templates", world);
  await user.click(await screen.findByRole("button", { name: "Edit To HTTP" }));
  const dialog = await screen.findByRole("dialog");
  const mine = await within(dialog).findByLabelText("Default of host");
  await user.type(mine, "example.com");
  const theirs = world.templates.templates.get("own");
  if (theirs === undefined) throw new Error("no template");
  world.templates.templates.set("own", create(TemplateSchema, { ...theirs, etag: "theirs" }));
  await user.click(within(dialog).getByRole("button", { name: "Save template" }));
  expect(await within(dialog).findByText(/someone else changed this template/i)).toBeTruthy();
  expect(within(dialog).getByDisplayValue("example.com")).toBeTruthy();
  expect(world.templates.templates.get("own")?.parameters[0]?.default).toBe("");
});

test("a viewer looks at them", async () => {
  const world = withTemplates();
  world.user = { ...world.user, superAdmin: false };
  for (const environment of world.environments) environment.role = Role.VIEWER;
  renderApp("/e/env-1/templates", world);
  expect(await screen.findByRole("heading", { name: "To HTTP" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Use To HTTP" })).toBeNull();
});
