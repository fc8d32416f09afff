import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { describe, expect, inject, test } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { ProfileService } from "#gen/vectorflow/v1/profile_service_pb.ts";
import { CertificateType } from "#gen/vectorflow/v1/secret_pb.ts";
import { SecretService } from "#gen/vectorflow/v1/secret_service_pb.ts";
import { totpCode } from "../auth/totp.ts";
import { startServer } from "../server.ts";
import { openPool } from "../testing/database.ts";
import { addPerson } from "../testing/people.ts";
import { certificatePem } from "../testing/public-pem.ts";
import { setUp, startTestServer } from "../testing/test-server.ts";

const oldSecret = "a secret of forty characters for testing";
const newSecret = "the next secret, of forty characters too";
const stepMs = 30_000;

/** Something in every column that is sealed. */
async function start() {
  const stack = new AsyncDisposableStack();
  const test = stack.use(await startTestServer(inject("templateUrl")));
  const pool = openPool(test.databaseUrl, 2);
  stack.defer(() => pool.end());
  const admin = await setUp(test);
  const { environmentId } = admin;
  const headers = { headers: { "idempotency-key": "key-of-this-call" } };
  const { secret } = await test
    .client(SecretService, admin.token)
    .createSecret({ environmentId, name: "password", value: "hunter22" }, headers);
  await test.client(CertificateService, admin.token).createCertificate({
    environmentId,
    name: "corp-ca",
    filename: "ca.pem",
    type: CertificateType.CA,
    content: certificatePem,
  });
  const anna = await addPerson(test, admin.token, "anna@example.com");
  const profile = test.client(ProfileService, anna.token);
  const app = await profile.beginSecondFactor({ currentPassword: anna.password });
  await profile.confirmSecondFactor({
    code: totpCode(app.secret, new Date(Date.now() - stepMs)),
  });
  const { sealer, config, log } = test.server.deps;
  const sealed = (column: string, id: string): string => sealer.seal(`${column}/${id}`, "token");
  await pool.query(
    `insert into "Account" ("id", "userId", "provider", "providerAccountId", "accessToken", "refreshToken", "idToken")
     select 'a1', "id", 'https://id.example.com', 'anna', $1, $2, $3 from "User" where "email" = $4`,
    [
      ...["accessToken", "refreshToken", "idToken"].map((name) => sealed(`Account.${name}`, "a1")),
      anna.email,
    ],
  );
  await pool.query(`update "SystemSettings" set "oidcClientSecret" = $1`, [
    sealed("SystemSettings.oidcClientSecret", "singleton"),
  ]);
  return {
    admin,
    anna,
    app,
    config,
    log,
    pool,
    secretId: secret?.id ?? "",
    keyId: (text: string): string => text.split(".")[1] ?? "",
    run: (args: readonly string[], env: Readonly<Record<string, string>>) =>
      promisify(execFile)(process.execPath, ["server/main.ts", "rotate-secret", ...args], {
        env: { VECTORFLOW_DATABASE_URL: test.databaseUrl, ...env },
      }),
    /** Every sealed text of the database. */
    sealedTexts: async (): Promise<readonly string[]> => {
      const { rows: tables } = await pool.query<{ name: string }>(
        `select relname as name from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace`,
      );
      const texts: string[] = [];
      for (const { name } of tables) {
        const { rows } = await pool.query<{ row: string }>(
          `select to_jsonb(t)::text as row from "${name}" t`,
        );
        texts.push(...rows.flatMap(({ row }) => row.match(/"v1\.[\w-]+\.[\w-]+"/g) ?? []));
      }
      return texts;
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe("server/main.ts rotate-secret", () => {
  const both = { VECTORFLOW_SECRET: newSecret, VECTORFLOW_SECRET_PREVIOUS: oldSecret };

  test("seals everything anew, after a dry run, and again without doing anything (X9)", async () => {
    await using world = await start();
    const before = await world.sealedTexts();
    expect(before.length).toBeGreaterThanOrEqual(9);
    expect(new Set(before.map(world.keyId)).size).toBe(1);

    const dry = await world.run(["--dry-run"], both);
    expect(dry.stdout).toContain("Secret.encryptedValue: 1 to rotate, 0 current\n");
    const { rows: columns } = await world.pool.query<{ name: string }>(
      `select c.relname || '.' || a.attname as name from pg_attribute a join pg_class c on c.oid = a.attrelid
       where col_description(c.oid, a.attnum) like 'Encrypted%'`,
    );
    expect(columns.length).toBeGreaterThan(7);
    for (const { name } of columns) expect(dry.stdout).toContain(`${name}: `);
    expect(dry.stdout).toContain("nothing was changed");
    expect((await world.sealedTexts()).toSorted()).toEqual(before.toSorted());

    const done = await world.run([], both);
    expect(done.stdout).toContain("Secret.encryptedValue: 1 rotated, 0 current\n");
    const after = await world.sealedTexts();
    expect(after).toHaveLength(before.length);
    const keys = new Set(after.map(world.keyId));
    expect(keys.size).toBe(1);
    expect(keys.has(world.keyId(before[0] ?? ""))).toBe(false);

    const again = await world.run([], both);
    expect(again.stdout).toContain("Secret.encryptedValue: 0 rotated, 1 current\n");
    expect((await world.sealedTexts()).toSorted()).toEqual(after.toSorted());
    const { rows } = await world.pool.query(
      `select "entityId" from "AuditLog" where "action" = 'encryption.rotated'`,
    );
    expect(rows).toHaveLength(9);
  });

  test("lets servers go on that know both, and after it those that know the new one", async () => {
    await using world = await start();
    const { environmentId, token } = world.admin;
    const use = async (secrets: { secret: string; secretPrevious: string | undefined }) => {
      await using replica = await startServer({ ...world.config, ...secrets }, world.log);
      const transport = createConnectTransport({ baseUrl: replica.webUrl, httpVersion: "1.1" });
      const client = createClient(SecretService, transport);
      const headers = { headers: { authorization: `Bearer ${token}` } };
      const secret = { environmentId, id: world.secretId };
      const { value } = await client.revealSecret(secret, headers);
      // Hosts get nothing anew for a value that they have.
      const same = await client.updateSecret({ ...secret, value }, headers);
      return { value, changed: same.changed, auth: createClient(AuthService, transport) };
    };
    const known = { value: "hunter22", changed: false };
    expect(await use({ secret: newSecret, secretPrevious: oldSecret })).toMatchObject(known);
    await world.run([], both);
    await expect(use({ secret: oldSecret, secretPrevious: undefined })).rejects.toThrow(
      /VECTORFLOW_SECRET/,
    );
    await using replica = await startServer(
      { ...world.config, secret: newSecret, secretPrevious: undefined },
      world.log,
    );
    const transport = createConnectTransport({ baseUrl: replica.webUrl, httpVersion: "1.1" });
    const { user } = await createClient(AuthService, transport).login({
      email: world.anna.email,
      password: world.anna.password,
      code: totpCode(world.app.secret, new Date()),
    });
    expect(user?.secondFactor).toBe(true);
    expect(await use({ secret: newSecret, secretPrevious: undefined })).toMatchObject(known);
  });

  test("names what no known secret opens, changes nothing of it, and fails", async () => {
    await using world = await start();
    const { VECTORFLOW_SECRET } = both;
    const before = await world.sealedTexts();
    await expect(world.run([], { VECTORFLOW_SECRET })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `Secret.encryptedValue of row ${world.secretId} cannot be read with any known secret`,
      ) as string,
    });
    expect((await world.sealedTexts()).toSorted()).toEqual(before.toSorted());
  });
});
