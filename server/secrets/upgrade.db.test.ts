import { expect, inject, test } from "vitest";
import { openOrm } from "../db/orm.ts";
import { createTestDatabase } from "../testing/database.ts";

const migration = "20261125020000_add_secret_delivery_and_selectors";

test("an upgrade keeps the hashes that hosts know, and finds the references of drafts (S14)", async () => {
  await using database = await createTestDatabase(inject("templateUrl"));
  const orm = await openOrm(database.url, 2);
  await using stack = new AsyncDisposableStack();
  stack.defer(() => orm.close(true));
  await orm.migrator.down({ migrations: [migration] });
  const em = orm.em.fork();
  await em.execute(`insert into "Team" ("id", "name") values ('t', 'T')`);
  await em.execute(`insert into "Environment" ("id", "name", "teamId") values ('e', 'E', 't')`);
  const texts = [
    "pw: SECRET[b] SECRET[a] SECRET[b]\nca: CERT[corp-ca]\nx: MYSECRET[no]",
    "plain: 1",
  ];
  for (const [index, text] of texts.entries()) {
    await em.execute(
      `insert into "Pipeline" ("id", "name", "environmentId", "yaml", "deployedVersion")
       values (?, ?, 'e', ?, ?)`,
      [`p${index}`, `P${index}`, text, index === 1 ? 1 : null],
    );
  }
  await em.execute(
    `insert into "PipelineVersion" ("id", "pipelineId", "version", "configYaml", "contentHash", "sourceYaml", "createdById")
     values ('v', 'p1', 1, 'plain: 1', 'abc', 'plain: 1', 'u')`,
  );
  await orm.migrator.up();
  const rows = await em.execute(
    `select "deliveredHash", "references", "nodeSelector" from "Pipeline" order by "id"`,
  );
  expect(rows).toEqual([
    {
      deliveredHash: null,
      references: { secrets: ["a", "b"], certificates: ["corp-ca"] },
      nodeSelector: null,
    },
    { deliveredHash: "abc", references: {}, nodeSelector: null },
  ]);
});
