import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { SelectorOperator } from "#gen/vectorflow/v1/delivery_pb.ts";

import { aHost } from "../testing/builders.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

const yaml = `sources:
  in:
    type: demo_logs
sinks:
  out:
    type: http
    inputs:
      - in
    auth:
      password: hunter2
`;

function twoHosts(): FakeWorld {
  const world = new FakeWorld();
  world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml, deployed: true });
  world.putHost(aHost({ name: "ams-01" }));
  world.putHost(aHost({ name: "fra-01", labels: { site: "fra" } }));
  return world;
}

test("hosts are chosen by labels, with what matches and what stops while one types (S20)", async () => {
  const { world, user } = renderApp("/e/env-1/pipelines/pipe-1", twoHosts());
  expect(await screen.findByText("all hosts")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Choose hosts" }));
  const dialog = await screen.findByRole("dialog");
  expect(await within(dialog).findByText("2 of 2 hosts")).toBeTruthy();
  await user.click(within(dialog).getByRole("button", { name: "Add condition" }));
  await user.type(within(dialog).getByLabelText("Label of condition 1"), "site");
  await user.type(within(dialog).getByLabelText("Value of condition 1"), "fra");
  expect(await within(dialog).findByText("1 of 2 hosts")).toBeTruthy();
  expect(within(dialog).getByText("Stops on").textContent).toContain("ams-01");
  // A host that joins meanwhile counts too.
  world.putHost(aHost({ name: "fra-02", labels: { site: "fra" } }));
  expect(await within(dialog).findByText("2 of 3 hosts")).toBeTruthy();
  const save = within(dialog).getByRole("button", { name: "Save and move" });
  await user.click(save);
  expect(world.secrets.selectors.size).toBe(0);
  await user.click(within(dialog).getByLabelText("Stop it on 1 host"));
  await user.click(save);
  expect(await screen.findByText("site = fra")).toBeTruthy();
  expect(world.secrets.selectors.get("pipe-1")).toMatchObject([
    { key: "site", operator: SelectorOperator.EQUALS, values: ["fra"] },
  ]);
});

test("the log level is set without a deploy", async () => {
  const { world, user } = renderApp("/e/env-1/pipelines/pipe-1", twoHosts());
  await user.selectOptions(await screen.findByLabelText("Log level"), "debug");
  expect(await screen.findByText("The log level is debug")).toBeTruthy();
  expect(world.secrets.logLevels.get("pipe-1")).toBe("debug");
});

test("labels say what they stop before they are saved (A1)", async () => {
  const world = twoHosts();
  const { user } = renderApp("/e/env-1/hosts/fra-01", world);
  await screen.findByRole("heading", { level: 1, name: "fra-01" });
  const [host] = world.hosts.values();
  expect(host).toBeDefined();
  world.secrets.selectors.set("pipe-1", [
    { key: "site", operator: SelectorOperator.EQUALS, values: ["fra"] } as never,
  ]);
  await user.click(await screen.findByRole("button", { name: "Edit labels" }));
  const value = await screen.findByLabelText("Value of label 1");
  await user.clear(value);
  await user.type(value, "ams");
  const notice = await screen.findByText(/These labels stop/);
  expect(notice.textContent).toContain("auth-logs");
  await user.click(screen.getByRole("button", { name: "Save labels and stop" }));
  await expect.poll(() => world.hosts.get("fra-01")?.labels).toEqual({ site: "ams" });
});

test("a password in the text becomes a secret by one press", async () => {
  const { world, user } = renderApp("/e/env-1/pipelines/pipe-1?tab=edit", twoHosts());
  await user.click(
    await screen.findByRole("button", { name: "Move out.auth.password to a secret" }),
  );
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByLabelText("Name of the secret")).toHaveProperty(
    "value",
    "out_password",
  );
  await user.click(within(dialog).getByRole("button", { name: "Move to secret" }));
  expect(await screen.findByText("The value is the secret out_password now")).toBeTruthy();
  expect(world.pipelines.get("pipe-1")?.yaml).toBe(
    yaml.replace("hunter2", '"SECRET[out_password]"'),
  );
  expect(world.secrets.values.get("out_password")).toBe("hunter2");
  await expect
    .poll(() => screen.queryByRole("button", { name: "Move out.auth.password to a secret" }))
    .toBeNull();
});

test("limits of memory and CPU are set, and what cannot be a limit is said at its field", async () => {
  const { world, user } = renderApp("/e/env-1/pipelines/pipe-1", twoHosts());
  await user.click(await screen.findByRole("button", { name: "Limit" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Memory in MiB"), "lots");
  await user.type(within(dialog).getByLabelText("CPU in cores"), "1.5");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await within(dialog).findByText("Give a whole number of MiB.")).toBeTruthy();
  await user.clear(within(dialog).getByLabelText("Memory in MiB"));
  await user.type(within(dialog).getByLabelText("Memory in MiB"), "512");
  await user.click(within(dialog).getByRole("button", { name: "Save" }));
  expect(await screen.findByText("512 MiB of memory, 1.5 cores")).toBeTruthy();
  expect(world.secrets.limits.get("pipe-1")).toEqual({ memoryMib: 512, cpuCores: 1.5 });
});
