import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { screen, within } from "@solidjs/testing-library";
import { describe, expect, test } from "vitest";

import { TappedEventSchema, type TappedEvent } from "#gen/vectorflow/v1/inspection_pb.ts";
import { NodeReachability, ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { demoYaml } from "../pipelines/templates.ts";
import { aHost, aStatus } from "../testing/builders.ts";
import { failure, FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

const page = "/e/env-1/pipelines/pipe-1?tab=live";

function running(): FakeWorld {
  const world = new FakeWorld();
  for (const name of ["edge-01", "edge-02", "edge-03"]) world.putHost(aHost({ name }));
  world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml: demoYaml, deployed: true });
  world.putStatus(aStatus());
  world.putStatus(aStatus({ nodeId: "edge-02", nodeName: "edge-02" }));
  // Hosts that cannot be asked are not offered.
  world.putStatus(
    aStatus({
      nodeId: "edge-03",
      nodeName: "edge-03",
      reachability: NodeReachability.UNREACHABLE,
    }),
  );
  return world;
}

const anEvent = (json: string): TappedEvent =>
  create(TappedEventSchema, { componentKey: "print", json });

describe("a sample", () => {
  test("is taken of chosen components on a chosen host, and shown in three ways", async () => {
    const world = running();
    world.inspection.events = ['{"message":"hello","status":12345678901234567890,"ratio":1.0}'];
    const { user, path } = renderApp(page, world);
    expect(await screen.findByText("No sample yet")).toBeTruthy();
    const host = screen.getByLabelText("Host", { selector: "select" });
    expect(within(host).getAllByRole("option")).toHaveLength(2);
    await user.selectOptions(host, "edge-02");
    const components = screen.getByRole("group", { name: "Components" });
    for (const box of within(components).getAllByRole<HTMLInputElement>("checkbox")) {
      if (box.checked) await user.click(box);
    }
    const take = screen.getByRole("button", { name: "Take a sample" });
    expect(take.getAttribute("aria-description")).toBe("Choose a component");
    await user.click(within(components).getByRole("checkbox", { name: /print/ }));
    await user.click(screen.getByRole("button", { name: "Take a sample" }));
    const result = await screen.findByRole("region", { name: "Sample of print" });
    expect(world.inspection.samples[0]).toMatchObject({ nodeId: "edge-02", limit: 5 });
    expect(path()).toContain("sample=sample-1");

    await user.click(within(result).getByText(/^\{"message":"hello"/));
    expect(await within(result).findByText(/"status": 12345678901234567890,/)).toBeTruthy();
    await user.click(within(result).getByRole("button", { name: "Table" }));
    expect(within(result).getByRole("cell", { name: "1.0" })).toBeTruthy();
    await user.click(within(result).getByRole("button", { name: "Fields" }));
    expect(within(result).getByRole("row", { name: ".status integer or string all" })).toBeTruthy();
  });

  test("says that it waits, that it is partial, and what is in the way", async () => {
    const world = running();
    world.inspection.silent = true;
    world.inspection.shortfall = "1 of 5 events came within 10 s";
    const { user } = renderApp(page, world);
    await user.click(await screen.findByRole("button", { name: "Take a sample" }));
    expect(await screen.findByText(/^Waiting for edge-01: 5 events/)).toBeTruthy();
    world.inspection.silent = false;
    expect(await screen.findByText("1 of 5 events came within 10 s")).toBeTruthy();
    world.failNext(
      "sampleEvents",
      failure(Code.FailedPrecondition, "edge-01 is not connected", "node_offline"),
    );
    await user.click(screen.getByRole("button", { name: "Take a sample" }));
    expect((await screen.findByRole("alert")).textContent).toContain("Edge-01 is not connected.");
  });

  test("that was taken before is found again by its address", async () => {
    const world = running();
    const { user } = renderApp(page, world);
    await user.click(await screen.findByRole("button", { name: "Take a sample" }));
    await screen.findByRole("region", { name: /Sample of/ });
    await user.click(screen.getByRole("button", { name: "Take a sample" }));
    await expect.poll(() => world.inspection.samples.length).toBe(2);
    const kept = await screen.findByLabelText("Samples that are kept");
    await expect.poll(() => within(kept).getAllByRole("option").length).toBe(2);
    await user.selectOptions(kept, "sample-1");
    expect(await screen.findByRole("region", { name: /Sample of/ })).toBeTruthy();
  });
});

describe("a live tap", () => {
  test("shows events newest first, filtered, paused and cleared, until it is stopped", async () => {
    const world = running();
    const { user } = renderApp(`${page}&view=tap`, world);
    await user.click(await screen.findByRole("button", { name: "Start" }));
    expect(await screen.findByText("listening")).toBeTruthy();
    world.inspection.tap({ events: [anEvent('{"n":1}'), anEvent('{"n":2}')], droppedEvents: 3n });
    const log = await screen.findByRole("log", { name: "Tapped events" });
    expect(within(log).getAllByRole("listitem")[0]?.textContent).toContain('{"n":2}');
    expect(screen.getByText("3 events came too fast and are not shown.")).toBeTruthy();

    await user.type(screen.getByLabelText("Filter events"), '"n":1');
    expect(within(log).getAllByRole("listitem")).toHaveLength(1);
    await user.clear(screen.getByLabelText("Filter events"));
    await user.click(screen.getByRole("button", { name: "Pause view" }));
    world.inspection.tap({ events: [anEvent('{"n":3}')] });
    expect(await screen.findByText("paused")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Go on" }));
    expect(await screen.findByText('{"n":3}')).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Clear" }));
    expect(screen.getByText("No events yet")).toBeTruthy();

    await user.click(screen.getByRole("button", { name: "Stop" }));
    expect(await screen.findByText("You stopped it.")).toBeTruthy();
    await expect.poll(() => world.inspection.tapCount).toBe(0);
  });

  test("ends with its reason, and when its viewer leaves", async () => {
    const world = running();
    const { user } = renderApp(`${page}&view=tap`, world);
    await user.click(await screen.findByRole("button", { name: "Start" }));
    await screen.findByText("listening");
    world.inspection.tap({ endedReason: "the pipeline has stopped" });
    expect(await screen.findByText("the pipeline has stopped")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Start" }));
    await expect.poll(() => world.inspection.tapCount).toBe(1);
    await user.click(screen.getByRole("link", { name: "Logs" }));
    await expect.poll(() => world.inspection.tapCount).toBe(0);
  });

  test("that another replica would have to open says so", async () => {
    const world = running();
    world.failNext(
      "tapEvents",
      failure(Code.Unavailable, "edge-01 is connected to another replica", "other_replica"),
    );
    const { user } = renderApp(`${page}&view=tap`, world);
    await user.click(await screen.findByRole("button", { name: "Start" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("Edge-01 is connected to another replica.");
  });
});

describe("vector top", () => {
  test("shows what the host writes, sends keys, and ends", async () => {
    const world = running();
    const { user } = renderApp(`${page}&view=top`, world);
    await user.click(await screen.findByRole("button", { name: "Open" }));
    expect(await screen.findByText("open")).toBeTruthy();
    expect(world.inspection.sizes[0]).toMatch(/^\d+x\d+$/);
    world.inspection.top({ content: new TextEncoder().encode("demo_logs 42/s\r\n") });
    expect(await screen.findByText(/demo_logs 42\/s/)).toBeTruthy();
    await user.type(screen.getByRole("textbox", { name: /terminal/i }), "j");
    await expect.poll(() => world.inspection.keys.join("")).toBe("j");
    world.inspection.top({ endedReason: "no key came for 10 minutes" });
    expect(await screen.findByText("no key came for 10 minutes")).toBeTruthy();
    await expect.poll(() => world.inspection.topCount).toBe(0);
  });
});

describe("redaction rules", () => {
  test("are read and replaced by admins, and say which one cannot be used", async () => {
    const world = running();
    const { user } = renderApp(page, world);
    await user.click(await screen.findByRole("button", { name: "Redaction rules" }));
    const dialog = await screen.findByRole("dialog");
    const fields = await within(dialog).findByLabelText("Fields");
    await expect.poll(() => (fields as HTMLTextAreaElement).value).toBe("owner.mail");
    await user.type(fields, "{Enter}*.iban");
    await user.type(within(dialog).getByLabelText("Values"), "secret-.*");
    world.failNext(
      "setRedaction",
      failure(Code.InvalidArgument, "a rule", "invalid_request", [
        { field: "redaction.value_patterns", message: "the rule ( cannot be used" },
      ]),
    );
    await user.click(within(dialog).getByRole("button", { name: "Save rules" }));
    expect(await within(dialog).findByText("The rule ( cannot be used.")).toBeTruthy();
    await user.click(within(dialog).getByRole("button", { name: "Save rules" }));
    await expect
      .poll(() => world.inspection.redaction)
      .toEqual({ fieldGlobs: ["owner.mail", "*.iban"], valuePatterns: ["secret-.*"] });
    expect(await screen.findByText("Redaction rules saved")).toBeTruthy();
  });
});

describe("what cannot be looked at", () => {
  test("is told to viewers: raw events are for editors", async () => {
    const world = running();
    world.user.superAdmin = false;
    for (const environment of world.environments) environment.role = Role.VIEWER;
    renderApp(page, world);
    expect(await screen.findByText("Raw events are for editors")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Take a sample" })).toBeNull();
  });

  test("is a pipeline that runs nowhere", async () => {
    const world = new FakeWorld();
    world.putHost(aHost());
    world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml: demoYaml, deployed: true });
    world.putStatus(aStatus({ state: ProcessState.CRASHED }));
    renderApp(page, world);
    expect(await screen.findByText("It runs nowhere that can be asked")).toBeTruthy();
  });
});
