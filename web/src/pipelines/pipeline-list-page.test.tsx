import { screen, within } from "@solidjs/testing-library";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

import { PipelineRatesSchema } from "#gen/vectorflow/v1/live_service_pb.ts";

import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { demoYaml } from "./templates.ts";

test("an empty environment offers a demo, which is created and deployed", async () => {
  const { world, user, path } = renderApp("/e/env-1/pipelines");
  await user.click(await screen.findByRole("button", { name: "Create demo pipeline" }));
  await expect.poll(path).toBe("/e/env-1/pipelines/pipe-1");
  expect(world.pipeline("pipe-1").versions).toHaveLength(1);
  expect(await screen.findByRole("heading", { level: 1, name: "demo" })).toBeTruthy();
});

test("shows states, badges and rates, live", async () => {
  const world = new FakeWorld();
  const running = world.putPipeline({
    id: "p1",
    name: "auth-logs",
    yaml: demoYaml,
    deployed: true,
  });
  world.putPipeline({ id: "p2", name: "new-one", yaml: demoYaml });
  renderApp("/e/env-1/pipelines", world);
  const row = (await screen.findByRole("link", { name: "auth-logs" })).closest("[role=row]");
  if (!(row instanceof HTMLElement)) throw new Error("no row");
  expect(within(row).getByText("running")).toBeTruthy();
  expect(within(row).getByText("1/1")).toBeTruthy();
  expect(within(row).getByText("v1")).toBeTruthy();
  expect(screen.getByText("draft")).toBeTruthy();
  if (running.live.summary) {
    running.live = {
      ...running.live,
      simulated: true,
      summary: { ...running.live.summary, changed: true },
      rates: create(PipelineRatesSchema, { eventsIn: 1_234, eventsOut: 0, errors: 2 }),
    };
  }
  world.publishPipeline(running);
  expect(await within(row).findByText("1.2k/s")).toBeTruthy();
  expect(within(row).getByText("0/s")).toBeTruthy();
  expect(within(row).getByText("changed")).toBeTruthy();
  expect(within(row).getByText("simulated")).toBeTruthy();
});

test("a pipeline is created from pasted YAML, and a taken name is refused at its field", async () => {
  const world = new FakeWorld();
  world.putPipeline({ id: "p1", name: "taken", yaml: demoYaml });
  const { user, path } = renderApp("/e/env-1/pipelines/new", world);
  await user.type(await screen.findByLabelText("Name"), "taken");
  await user.click(screen.getByRole("button", { name: "Create draft" }));
  expect(await screen.findByText("Another pipeline has this name.")).toBeTruthy();
  await user.type(screen.getByLabelText("Name"), "-not");
  await user.click(screen.getByRole("button", { name: "Create draft" }));
  await expect.poll(path).toBe("/e/env-1/pipelines/pipe-2?tab=edit");
  expect(world.pipeline("pipe-2").yaml).toBe(demoYaml);
});
