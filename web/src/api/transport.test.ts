import { createClient, createRouterTransport } from "@connectrpc/connect";
import { expect, test } from "vitest";

import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";

import { safeToRepeat } from "./transport.ts";

test("every change carries a key of its own, and a read carries none", async () => {
  const keys: (string | null)[] = [];
  const transport = createRouterTransport(
    ({ service }) =>
      service(TeamService, {
        listTeams(_request, { requestHeader }) {
          keys.push(requestHeader.get("idempotency-key"));
          return {};
        },
        createTeam(_request, { requestHeader }) {
          keys.push(requestHeader.get("idempotency-key"));
          return {};
        },
      }),
    { transport: { interceptors: [safeToRepeat] } },
  );
  const teams = createClient(TeamService, transport);
  await teams.listTeams({});
  await teams.createTeam({ name: "A" });
  await teams.createTeam({ name: "A" });
  expect(keys[0]).toBeNull();
  expect(keys[1]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[2]).toMatch(/^[0-9a-f]{32}$/);
  expect(keys[1]).not.toBe(keys[2]);
});
