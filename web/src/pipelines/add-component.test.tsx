import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

test("a component is added by its kind and type, and says what it is for", async () => {
  const world = new FakeWorld();
  world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml: "sinks:\n" });
  const { user } = renderApp("/e/env-1/pipelines/pipe-1?tab=edit", world);
  await user.click(await screen.findByRole("button", { name: "Add a component…" }));
  const dialog = await screen.findByRole("dialog", { name: "Add a component" });
  await user.click(await within(dialog).findByRole("button", { name: "Add" }));
  expect(within(dialog).getByRole("alert").textContent).toBe("Choose a type.");
  await user.selectOptions(within(dialog).getByLabelText("Kind"), "sink");
  await user.selectOptions(within(dialog).getByLabelText("Type"), "console");
  expect(within(dialog).getByText("Writes to its terminal.")).toBeTruthy();
  await user.click(within(dialog).getByRole("button", { name: "Add" }));
  expect(await screen.findByText("console was added")).toBeTruthy();
  await expect
    .poll(() => world.pipeline("pipe-1").yaml)
    .toBe("sinks:\n  console:\n    type: console\n");
});
