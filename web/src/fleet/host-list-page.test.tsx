import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";

import { aHost } from "../testing/builders.ts";
import { FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

function fleet(): FakeWorld {
  const world = new FakeWorld();
  world.putHost(aHost({ name: "edge-01", simulated: true }));
  world.putHost(
    aHost({
      name: "edge-02",
      status: NodeStatus.DEGRADED,
      reasons: ["pipeline auth-logs crashed"],
    }),
  );
  world.putHost(aHost({ name: "db-01", status: NodeStatus.UNREACHABLE }));
  return world;
}

async function rowOf(name: string): Promise<HTMLElement> {
  const row = (await screen.findByRole("link", { name })).closest<HTMLElement>("[role=row]");
  if (row === null) throw new Error(`no row of ${name}`);
  return row;
}

const names = (): (string | null)[] =>
  screen
    .getAllByRole("row")
    .slice(1)
    .map((row) => within(row).getByRole("link").textContent);

test("shows every host with its state, the reason, and whether it is simulated", async () => {
  renderApp("/e/env-1/hosts", fleet());
  const ill = await rowOf("edge-02");
  expect(within(ill).getByText("degraded")).toBeTruthy();
  expect(within(ill).getByText("pipeline auth-logs crashed")).toBeTruthy();
  expect(within(ill).queryByText("simulated")).toBeNull();
  expect(within(await rowOf("edge-01")).getByText("simulated")).toBeTruthy();
  expect(document.title).toBe("Hosts · VectorFlow");
});

test("a change shows in its row without anybody asking", async () => {
  const { world } = renderApp("/e/env-1/hosts", fleet());
  const row = await rowOf("edge-01");
  expect(within(row).getByText("healthy")).toBeTruthy();
  world.putHost(
    aHost({ name: "edge-01", status: NodeStatus.UNREACHABLE, reasons: ["no heartbeat for 40 s"] }),
  );
  expect(await within(row).findByText("unreachable")).toBeTruthy();
  expect(within(row).getByText("no heartbeat for 40 s")).toBeTruthy();
});

test("a host that joins or leaves appears or disappears", async () => {
  const { world } = renderApp("/e/env-1/hosts", fleet());
  await rowOf("edge-01");
  world.putHost(aHost({ name: "edge-03" }));
  await rowOf("edge-03");
  world.removeHost("edge-01");
  await expect.poll(names).toEqual(["db-01", "edge-02", "edge-03"]);
});

test("filters by text and state, in the address", async () => {
  const { user, path } = renderApp("/e/env-1/hosts", fleet());
  await rowOf("db-01");
  await user.type(screen.getByRole("searchbox", { name: "Filter hosts" }), "edge");
  await expect.poll(names).toEqual(["edge-01", "edge-02"]);
  await user.click(screen.getByRole("button", { name: "degraded 1" }));
  await expect.poll(names).toEqual(["edge-02"]);
  expect(path()).toBe("/e/env-1/hosts?q=edge&state=degraded");
  expect(screen.getByText("1 of 3 hosts")).toBeTruthy();
});

test("says when nothing matches, and clears the filter", async () => {
  const { user } = renderApp("/e/env-1/hosts?q=nothing", fleet());
  await user.click(await screen.findByRole("button", { name: "Clear filters" }));
  await expect.poll(names).toHaveLength(3);
});

test("sorts by a column, both ways", async () => {
  const { user } = renderApp("/e/env-1/hosts", fleet());
  await rowOf("db-01");
  await user.click(screen.getByRole("button", { name: "State" }));
  await expect.poll(names).toEqual(["db-01", "edge-02", "edge-01"]);
  await user.click(screen.getByRole("button", { name: /^State/ }));
  await expect.poll(names).toEqual(["edge-01", "edge-02", "db-01"]);
  const header = screen.getByRole("columnheader", { name: /^State/ });
  expect(header.getAttribute("aria-sort")).toBe("descending");
});

test("an empty fleet says how to get a host", async () => {
  renderApp("/e/env-1/hosts");
  expect(await screen.findByText("No hosts yet")).toBeTruthy();
  expect(screen.getAllByRole("link", { name: "Add a host" })).toHaveLength(2);
});

test("thousands of hosts draw only the rows in view", async () => {
  const world = new FakeWorld();
  for (let index = 0; index < 2_000; index++) {
    world.hosts.set(`h-${index}`, aHost({ name: `h-${index}` }));
  }
  renderApp("/e/env-1/hosts", world);
  await rowOf("h-0");
  expect(screen.getByRole("table", { name: "Hosts" }).getAttribute("aria-rowcount")).toBe("2001");
  expect(screen.getAllByRole("row").length).toBeLessThan(60);
});
