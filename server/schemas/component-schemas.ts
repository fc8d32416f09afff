import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { EntityManager } from "@mikro-orm/postgresql";
import { newId } from "../db/columns.ts";
import { notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { clean } from "../fleet/text.ts";

/** What is known of one version's schema. */
export interface SchemaInfo {
  readonly vectorVersion: string;
  readonly sizeBytes: number;
  readonly error: string | null;
  readonly storedAt: Date | null;
}

const strictVersion = /^\d{1,4}\.\d{1,4}\.\d{1,4}(?:-[\w.+-]{1,40})?$/;
const maxVersions = 200;
const maxJsonBytes = 16 * 1024 * 1024;
/** An answer that did not come is asked for again; an error is remembered for longer. */
const unansweredMs = 10 * 60_000;
const failedMs = 7 * 86_400_000;

/**
 * Whether a host with this version of Vector shall be asked for its schema. At most one host is asked at a
 * time, on all replicas together; versions that are known, or that have none, are left alone.
 */
export async function claimSchema(
  em: EntityManager,
  vectorVersion: string,
  now: Date,
): Promise<boolean> {
  if (!isVersion(vectorVersion)) return false;
  const rows = await em.execute<{ id: string }[]>(
    `insert into "ComponentSchema" ("id", "vectorVersion", "requestedAt", "createdAt")
     select ?, ?, ?, ? where (select count(*) from "ComponentSchema") < ?
     on conflict ("vectorVersion") do update set "requestedAt" = excluded."requestedAt"
     where "ComponentSchema"."schemaGzip" is null and "ComponentSchema"."requestedAt" <
       case when "ComponentSchema"."error" is null then ?::timestamptz else ?::timestamptz end
     returning "id"`,
    [
      newId(),
      vectorVersion,
      now,
      now,
      maxVersions,
      new Date(now.getTime() - unansweredMs),
      new Date(now.getTime() - failedMs),
    ],
  );
  return rows.length > 0;
}

/** Keeps what a host that was asked has sent, once per version; what is no such schema is an error. */
export async function storeSchema(
  em: EntityManager,
  vectorVersion: string,
  schemaGzip: Uint8Array,
  now: Date,
): Promise<void> {
  const checked = await checkSchema(schemaGzip);
  if (typeof checked === "string") return storeSchemaError(em, vectorVersion, checked);
  await em.execute(
    `update "ComponentSchema" set "schemaGzip" = ?, "sizeBytes" = ?, "error" = null, "storedAt" = ?
     where "vectorVersion" = ? and "schemaGzip" is null`,
    [Buffer.from(schemaGzip), checked, now, vectorVersion],
  );
}

export async function storeSchemaError(
  em: EntityManager,
  vectorVersion: string,
  error: string,
): Promise<void> {
  await em.execute(
    `update "ComponentSchema" set "error" = ? where "vectorVersion" = ? and "schemaGzip" is null`,
    [clean(error, 1000), vectorVersion],
  );
}

/** The size of the JSON, or what is wrong with it. */
async function checkSchema(schemaGzip: Uint8Array): Promise<number | string> {
  try {
    const text = await promisify(gunzip)(schemaGzip, { maxOutputLength: maxJsonBytes });
    const schema = JSON.parse(text.toString("utf8")) as unknown;
    return isSchema(schema) ? text.length : "the host sent something that is no schema of Vector";
  } catch {
    return "the host sent something that is no compressed JSON of a fitting size";
  }
}

function isSchema(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { $schema, definitions, allOf } = value as Record<string, unknown>;
  const isMap = typeof definitions === "object" && definitions !== null;
  return (
    typeof $schema === "string" && isMap && !Array.isArray(definitions) && Array.isArray(allOf)
  );
}

export function isVersion(value: unknown): value is string {
  return typeof value === "string" && strictVersion.test(value);
}

const numbersOf = (version: string): string =>
  `string_to_array(split_part(${version}, '-', 1), '.')::int[]`;

/** The versions that are known, newest first, after the given one. */
export async function listSchemas(
  scope: Scope,
  after: string | undefined,
  limit: number,
): Promise<readonly SchemaInfo[]> {
  const numbers = numbersOf(`"vectorVersion"`);
  const last = numbersOf("?");
  const place = `and (${numbers} < ${last} or (${numbers} = ${last} and "vectorVersion" > ?))`;
  return scope.em.execute<SchemaInfo[]>(
    `select "vectorVersion", "sizeBytes", "error", "storedAt" from "ComponentSchema"
     where ("schemaGzip" is not null or "error" is not null) ${after === undefined ? "" : place}
     order by ${numbers} desc, "vectorVersion" limit ?`,
    [...(after === undefined ? [] : [after, after, after]), limit],
  );
}

/** The compressed schema of a version, if a host has sent it. */
export async function findSchema(scope: Scope, version: string): Promise<Buffer | undefined> {
  const [row] = await scope.em.execute<{ schemaGzip: Buffer }[]>(
    `select "schemaGzip" from "ComponentSchema" where "vectorVersion" = ? and "schemaGzip" is not null`,
    [version],
  );
  return row?.schemaGzip;
}

export async function readSchema(
  scope: Scope,
  vectorVersion: string,
): Promise<SchemaInfo & { readonly schemaGzip: Buffer }> {
  const [row] = await scope.em.execute<(SchemaInfo & { schemaGzip: Buffer })[]>(
    `select "vectorVersion", "sizeBytes", "error", "storedAt", "schemaGzip" from "ComponentSchema"
     where "vectorVersion" = ? and "schemaGzip" is not null`,
    [vectorVersion],
  );
  if (row === undefined) throw notFound("component schema", vectorVersion);
  return row;
}
