import { expect, test } from "vitest";

import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";

import { aHost } from "../testing/builders.ts";
import { countStates, hostState, selectHosts, type HostQuery } from "./host-state.ts";

const all: HostQuery = { text: "", states: new Set(), column: "name", descending: false };

test("a host's state comes with its reasons", () => {
  const host = aHost({ status: NodeStatus.DEGRADED, reasons: ["a crashed", "disk is full"] });
  expect(hostState(host)).toMatchObject({
    word: "degraded",
    tone: "warn",
    reason: "a crashed; disk is full",
  });
});

test("maintenance hides a host's health, but not that it is away", () => {
  expect(hostState(aHost({ maintenance: true })).word).toBe("maintenance");
  const away = aHost({ maintenance: true, status: NodeStatus.UNREACHABLE });
  expect(hostState(away).word).toBe("unreachable");
});

test("a revoked or fenced host says so first", () => {
  expect(hostState(aHost({ revoked: true, reasons: ["x"] })).reason).toBe(
    "its token was revoked; x",
  );
  expect(hostState(aHost({ fenced: true })).reason).toMatch("has seen a newer one");
});

test("names sort as people count", () => {
  const hosts = ["edge-10", "edge-9", "core-1"].map((name) => aHost({ name }));
  expect(selectHosts(hosts, all)).toEqual(["core-1", "edge-9", "edge-10"]);
  expect(selectHosts(hosts, { ...all, descending: true })).toEqual(["edge-10", "edge-9", "core-1"]);
});

test("every word of a search must be found, labels too", () => {
  const hosts = [
    aHost({ name: "a", labels: { site: "fra" } }),
    aHost({ name: "b", labels: { site: "ams" }, simulated: true }),
  ];
  expect(selectHosts(hosts, { ...all, text: "debian SITE=fra" })).toEqual(["a"]);
  expect(selectHosts(hosts, { ...all, text: "simulated" })).toEqual(["b"]);
  expect(selectHosts(hosts, { ...all, text: "fra simulated" })).toEqual([]);
});

test("states filter and sort, the worst first", () => {
  const hosts = [
    aHost({ name: "well" }),
    aHost({ name: "ill", status: NodeStatus.DEGRADED }),
    aHost({ name: "away", status: NodeStatus.UNREACHABLE }),
  ];
  expect(selectHosts(hosts, { ...all, column: "state" })).toEqual(["away", "ill", "well"]);
  expect(selectHosts(hosts, { ...all, states: new Set(["degraded"]) })).toEqual(["ill"]);
  expect(countStates(hosts)).toMatchObject({ healthy: 1, degraded: 1, unreachable: 1 });
});

test("five thousand hosts are filtered and sorted within a frame", () => {
  const hosts = Array.from({ length: 5_000 }, (_, index) => aHost({ name: `edge-${index}` }));
  expect(selectHosts(hosts, { ...all, text: "edge-499" })).toHaveLength(11);
});
