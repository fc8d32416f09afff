import { status } from "@grpc/grpc-js";
import { expect, inject, test } from "vitest";
import { NodeStatus } from "#gen/vectorflow/v1/node_pb.ts";
import { NodeService } from "#gen/vectorflow/v1/node_service_pb.ts";
import { eventually } from "../testing/eventually.ts";
import { FakeAgent } from "../testing/fake-agent.ts";
import { setUp, startTestServer, type TestServer } from "../testing/test-server.ts";

/** A host, and another one with a copy of its disk. Both are the same but for the boot. */
async function hostAndCopy(server: TestServer) {
  const admin = await setUp(server);
  const host = new FakeAgent(server.server.agentUrl, "a-machine-of-some-kind");
  const copy = new FakeAgent(server.server.agentUrl, "a-machine-of-some-kind");
  host.hostBootId = "boot-1";
  copy.hostBootId = "boot-2";
  const identity = await host.enroll(admin.enrollmentToken);
  copy.identity = identity;
  const stack = new AsyncDisposableStack();
  stack.use(host);
  stack.use(copy);
  return {
    admin,
    host,
    copy,
    nodeId: identity.nodeId,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

test("a copy of a living host is refused, the host goes on, and both are told (A15)", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  await using at = await hostAndCopy(server);
  await at.host.connect();
  at.host.heartbeat();
  await expect(at.copy.connect()).rejects.toMatchObject({
    code: status.ALREADY_EXISTS,
    details: expect.stringMatching(/another machine is connected .* --as-new/) as string,
  });
  const nodes = server.client(NodeService, at.admin.token);
  await eventually(async () => {
    at.host.heartbeat();
    const { node } = await nodes.getNode({ id: at.nodeId });
    expect(node?.status).toBe(NodeStatus.DEGRADED);
    expect(node?.reasons.join()).toMatch(
      /another machine \(a-machine-of-some-kind at 127\.0\.0\.1\)/,
    );
  });
  const rows = await server.server.deps.orm.em
    .fork()
    .execute(`select 1 from "AuditLog" where "action" = 'node.clone_refused'`);
  expect(rows).toHaveLength(1);
});

test("a host that was booted again gets its session once the old one is gone", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  await using at = await hostAndCopy(server);
  await at.host.connect();
  at.host.drop();
  await eventually(async () => {
    await at.copy.connect();
  });
  expect(at.copy.welcome?.nodeId).toBe(at.nodeId);
});

test("the same machine takes over from a session of its own that hangs", async () => {
  await using server = await startTestServer(inject("templateUrl"));
  await using at = await hostAndCopy(server);
  await at.host.connect();
  at.host.heartbeat();
  at.copy.hostBootId = at.host.hostBootId;
  await at.copy.connect();
  expect(at.copy.welcome?.nodeId).toBe(at.nodeId);
});
