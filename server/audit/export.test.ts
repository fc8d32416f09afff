import { expect, test } from "vitest";
import { csvHeader, toCsv, toJsonLine } from "./export.ts";
import type { AuditRow } from "./query.ts";

const row: AuditRow = {
  sequence: 7,
  id: "a",
  createdAt: new Date("2026-01-02T03:04:05.678Z"),
  action: "team.updated",
  entityType: "Team",
  entityId: "t",
  diff: { name: { before: "A", after: 'B, "C"' } },
  metadata: null,
  ipAddress: "192.0.2.1",
  userId: "u",
  userEmail: "a@example.com",
  userName: '=HYPERLINK("http://evil")',
  teamId: "t",
  environmentId: null,
};

test("a line of CSV quotes what must be, and no cell is a formula", () => {
  expect(csvHeader.split(",")).toHaveLength(13);
  expect(toCsv(row)).toBe(
    `7,2026-01-02T03:04:05.678Z,team.updated,Team,t,u,a@example.com,"'=HYPERLINK(""http://evil"")",192.0.2.1,t,,` +
      `"{""name"":{""before"":""A"",""after"":""B, \\""C\\""""}}",\r\n`,
  );
});

test("a line of JSON has every fact", () => {
  expect(JSON.parse(toJsonLine(row))).toMatchObject({
    sequence: 7,
    time: "2026-01-02T03:04:05.678Z",
    diff: row.diff,
    userName: row.userName,
  });
});
