import { create } from "@bufbuild/protobuf";
import { screen, within } from "@solidjs/testing-library";
import { Code } from "@connectrpc/connect";
import { expect, test } from "vitest";

import { HostPolicySchema, NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { ProcessState } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { aHost, aLogLine, aStatus } from "../testing/builders.ts";
import { failure, FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

function oneHost(): FakeWorld {
  const world = new FakeWorld();
  world.putHost(aHost({ simulated: true, labels: { site: "fra" } }));
  return world;
}

test("tells what a host is, and that it is simulated", async () => {
  renderApp("/e/env-1/hosts/edge-01", oneHost());
  expect(await screen.findByRole("heading", { level: 1, name: "edge-01" })).toBeTruthy();
  expect(screen.getByText("simulated")).toBeTruthy();
  expect(screen.getByText("0.58.0 (vector-sim)")).toBeTruthy();
  expect(screen.getByText("3 GiB of 8 GiB")).toBeTruthy();
  // The charts say the same in words.
  expect(await screen.findByRole("table", { name: "CPU, in numbers" })).toBeTruthy();
});

test("says what the host itself allows, and where that is written", async () => {
  const world = oneHost();
  world.hostPolicies.set(
    "edge-01",
    create(HostPolicySchema, {
      path: "/etc/vectorflow/policy.yaml",
      rules: [{ title: "Writes", text: "Only /srv/out" }],
      problem: "preset must be one of none, restricted",
    }),
  );
  renderApp("/e/env-1/hosts/edge-01", world);
  expect(await screen.findByText("/etc/vectorflow/policy.yaml")).toBeTruthy();
  expect(screen.getByText("Only /srv/out")).toBeTruthy();
  expect(screen.getByText(/preset must be one of/)).toBeTruthy();
});

test("says that a host has no policy", async () => {
  renderApp("/e/env-1/hosts/edge-01", oneHost());
  expect(await screen.findByText(/no policy of its own/)).toBeTruthy();
});

test("a state that changes shows at once", async () => {
  const { world } = renderApp("/e/env-1/hosts/edge-01", oneHost());
  await screen.findByText("healthy");
  world.putHost(aHost({ status: NodeStatus.DEGRADED, reasons: ["disk is full"] }));
  expect(await screen.findByText("degraded")).toBeTruthy();
  expect(screen.getByText("disk is full")).toBeTruthy();
});

test("maintenance starts after a question, and ends without one", async () => {
  const { user } = renderApp("/e/env-1/hosts/edge-01", oneHost());
  await user.click(await screen.findByRole("button", { name: "Start maintenance" }));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Start maintenance" }));
  await user.click(await screen.findByRole("button", { name: "End maintenance" }));
  expect(await screen.findByRole("button", { name: "Start maintenance" })).toBeTruthy();
});

test("labels are edited together", async () => {
  const { world, user } = renderApp("/e/env-1/hosts/edge-01", oneHost());
  await user.click(await screen.findByRole("button", { name: "Edit labels" }));
  const value = await screen.findByLabelText("Value of label 1");
  await user.clear(value);
  await user.type(value, "ams");
  await user.click(screen.getByRole("button", { name: "Add label" }));
  await user.type(screen.getByLabelText("Name of label 2"), "tier");
  await user.type(screen.getByLabelText("Value of label 2"), "gold");
  await user.click(screen.getByRole("button", { name: "Save labels" }));
  expect(await screen.findByText("site=ams")).toBeTruthy();
  expect(world.hosts.get("edge-01")?.labels).toEqual({ site: "ams", tier: "gold" });
});

test("a host is deleted only when its name is typed", async () => {
  const { world, user, path } = renderApp("/e/env-1/hosts/edge-01", oneHost());
  await user.click(await screen.findByRole("button", { name: "More actions" }));
  await user.click(await screen.findByRole("menuitem", { name: "Delete host…" }));
  const confirm = await screen.findByRole("button", { name: "Delete host" });
  await user.click(confirm);
  expect(world.hosts.size).toBe(1);
  await user.type(screen.getByLabelText("Type edge-01 to confirm"), "edge-01");
  await user.click(confirm);
  await expect.poll(path).toBe("/e/env-1/hosts");
  expect(world.hosts.size).toBe(0);
});

test("a refusal is shown where it was asked for", async () => {
  const { world, user } = renderApp("/e/env-1/hosts/edge-01", oneHost());
  await user.click(await screen.findByRole("button", { name: "Start maintenance" }));
  world.failNext("updateNode", failure(Code.PermissionDenied, "editors only", "forbidden"));
  const dialog = await screen.findByRole("dialog");
  await user.click(within(dialog).getByRole("button", { name: "Start maintenance" }));
  expect((await within(dialog).findByRole("alert")).textContent).toBe("Editors only.");
});

test("lists what runs on the host, and why not", async () => {
  const world = oneHost();
  world.putPipeline({ id: "pipe-1", name: "auth-logs", yaml: "", deployed: true });
  world.putStatus(aStatus({ state: ProcessState.CRASHED, reason: "exited with code 78" }));
  renderApp("/e/env-1/hosts/edge-01?tab=pipelines", world);
  expect(await screen.findByText("exited with code 78")).toBeTruthy();
  expect(screen.getByText("crashed")).toBeTruthy();
  expect(screen.getByRole("link", { name: "auth-logs" })).toBeTruthy();
});

test("the host's log follows", async () => {
  const world = oneHost();
  world.logs.push(aLogLine({ text: "hello from vector" }));
  renderApp("/e/env-1/hosts/edge-01?tab=logs", world);
  expect(await screen.findByText("hello from vector")).toBeTruthy();
  expect(await screen.findByText("following")).toBeTruthy();
  world.logs.push(aLogLine({ nodeId: "another", text: "not of this host" }));
  world.logs.push(aLogLine({ text: "and another line" }));
  world.publish({});
  expect(await screen.findByText("and another line")).toBeTruthy();
  expect(screen.queryByText("not of this host")).toBeNull();
});

const factOf = async (name: string): Promise<string | null | undefined> =>
  (await screen.findByText(name)).nextElementSibling?.textContent;

test("every fact has an age (S7)", async () => {
  const world = new FakeWorld();
  const ago = (minutes: number) => toTimestamp(Date.now() - minutes * 60_000);
  world.putHost(
    aHost({
      status: NodeStatus.UNREACHABLE,
      reasons: ["no heartbeat since 10:00"],
      lastSeenTime: ago(7),
      enrollTime: ago(180),
      usage: { cpuRatio: 0.2, time: ago(8) },
    }),
  );
  renderApp("/e/env-1/hosts/edge-01", world);
  expect(await factOf("Measured")).toMatch(/^8 min/);
  expect(await factOf("Last seen")).toMatch(/^7 min/);
  expect(await factOf("Enrolled")).toMatch(/^3 h/);
});

test("what was not measured says so and is no zero (S7)", async () => {
  const world = new FakeWorld();
  const host = aHost();
  delete host.usage;
  world.putHost(host);
  renderApp("/e/env-1/hosts/edge-01", world);
  expect(await factOf("Measured")).toBe("not yet");
  for (const fact of ["CPU", "Memory", "Disk"]) expect(await factOf(fact)).not.toMatch(/\b0\b/);
});

test("a host that is gone says so", async () => {
  renderApp("/e/env-1/hosts/ghost", oneHost());
  expect(await screen.findByText("There is no such host")).toBeTruthy();
});
