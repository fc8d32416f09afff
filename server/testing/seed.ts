import pg from "pg";

/** A connection to a test's database for what would take too long through the API. */
export async function openSql(databaseUrl: string) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  return {
    async query<T>(sql: string, values: readonly unknown[] = []): Promise<T[]> {
      return (await client.query(sql, [...values])).rows as T[];
    },
    [Symbol.asyncDispose]: () => client.end(),
  };
}

export type Sql = Awaited<ReturnType<typeof openSql>>;

/** Hosts `host-0001` … that are enrolled and were heard of just now. */
export async function seedNodes(sql: Sql, environmentId: string, count: number): Promise<void> {
  await sql.query(
    `insert into "VectorNode" ("id", "name", "host", "environmentId", "machineId", "nodeTokenHash", "status",
       "enrolledAt", "lastHeartbeat", "lastSeen")
     select 'n' || i, 'host-' || lpad(i::text, 5, '0'), 'h', $1, 'm' || i, 'hash' || i, 'HEALTHY', now(), now(), now()
     from generate_series(1, $2::int) i`,
    [environmentId, count],
  );
}

/**
 * One of everything that a read leads to, beside an environment, a host and a draft: version 1 of the
 * pipeline, the sample `sample`, a secret, a certificate, a variable and the schema of Vector 0.58.0.
 */
export async function seedReads(
  sql: Sql,
  pipelineId: string,
  environmentId: string,
): Promise<void> {
  await sql.query(
    `insert into "PipelineVersion" ("id", "pipelineId", "version", "configYaml", "contentHash", "sourceYaml",
       "createdById") values ('version', $1, 1, '', '', '', '')`,
    [pipelineId],
  );
  await sql.query(
    `insert into "EventSampleRequest" ("id", "pipelineId", "componentKeys", "status", "expiresAt")
     values ('sample', $1, '["in"]', 'COMPLETED', now())`,
    [pipelineId],
  );
  await sql.query(
    `insert into "EventSample" ("id", "requestId", "pipelineId", "componentKey", "events", "schema", "sampledAt")
     values ('events', 'sample', $1, 'in', '[{"a":1}]', '[]', now())`,
    [pipelineId],
  );
  await sql.query(
    `insert into "Secret" ("id", "name", "environmentId", "encryptedValue") values ('secret', 's', $1, '')`,
    [environmentId],
  );
  await sql.query(
    `insert into "Certificate" ("id", "name", "environmentId", "filename", "fileType", "encryptedData")
     values ('certificate', 'c', $1, 'ca.pem', 'ca', '')`,
    [environmentId],
  );
  await sql.query(
    `insert into "Variable" ("id", "name", "environmentId", "value") values ('variable', 'v', $1, 'x')`,
    [environmentId],
  );
  await sql.query(
    `insert into "ComponentSchema" ("id", "vectorVersion", "schemaGzip", "requestedAt", "storedAt")
     values ('schema', '0.58.0', '\\x00', now(), now())`,
  );
}

/** Rows of every table, to see whether something was written. */
export async function contentOfAllTables(sql: Sql): Promise<Readonly<Record<string, string>>> {
  const tables = await sql.query<{ name: string }>(
    `select tablename as "name" from pg_tables where schemaname = 'public' order by 1`,
  );
  const content: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await sql.query<{ digest: string }>(
      `select count(*) || ':' || coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as "digest"
       from "${name}" t`,
    );
    content[name] = row?.digest ?? "";
  }
  return content;
}
