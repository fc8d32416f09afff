import { Migration } from "@mikro-orm/migrations";

/**
 * What hosts shall hold beside a version: secrets and certificates by their digests, a log level, and which hosts
 * they are. What is deployed keeps the hash that hosts know, so that nothing restarts.
 */
export class Migration20261125020000_add_secret_delivery_and_selectors extends Migration {
  override async up(): Promise<void> {
    this.addSql(
      `alter table "Pipeline" add column "nodeSelector" jsonb null, add column "logLevel" text null,
         add column "references" jsonb not null default '{}', add column "deliveredHash" text null,
         add column "deliveryProblem" text null`,
    );
    this.addSql(
      `comment on column "Pipeline"."nodeSelector" is 'Terms over labels that all must hold; null: every node.'`,
    );
    this.addSql(
      `comment on column "Pipeline"."logLevel" is 'Of Vector on the nodes, lower case; null: info.'`,
    );
    this.addSql(
      `comment on column "Pipeline"."references" is 'Secrets and certificates that the draft names.'`,
    );
    this.addSql(
      `comment on column "Pipeline"."deliveredHash" is 'What nodes shall hold: version, log level, secrets, certificates; null: nothing.'`,
    );
    this.addSql(
      `comment on column "Pipeline"."deliveryProblem" is 'Why deliveredHash is not renewed.'`,
    );
    this.addSql(
      `alter table "PipelineVersion" add column "references" jsonb not null default '{}'`,
    );
    this.addSql(
      `comment on column "PipelineVersion"."references" is 'Secrets and certificates that it names.'`,
    );
    this.addSql(`comment on column "PipelineVersion"."contentHash" is 'SHA-256 of configYaml.'`);
    this.addSql(`alter table "Secret" add column "valueDigest" text not null default ''`);
    this.addSql(
      `comment on column "Secret"."valueDigest" is 'Keyed: tells a changed value, and nothing of it.'`,
    );
    this.addSql(
      `alter table "Certificate" add column "contentDigest" text not null default '',
         add column "details" jsonb null, add column "updatedAt" timestamptz(3) not null default now()`,
    );
    this.addSql(
      `comment on column "Certificate"."contentDigest" is 'Keyed: tells a changed file, and nothing of it.'`,
    );
    this.addSql(
      `comment on column "Certificate"."details" is 'Public facts of the first certificate; null for a key.'`,
    );
    this.addSql(
      `update "Pipeline" p set "deliveredHash" = v."contentHash" from "PipelineVersion" v
       where v."pipelineId" = p."id" and v."version" = p."deployedVersion"`,
    );
    for (const [table, text] of [
      ["Pipeline", "yaml"],
      ["PipelineVersion", "configYaml"],
    ]) {
      this.addSql(
        `update "${table}" set "references" = jsonb_build_object(
           'secrets', ${namesIn(`"${text}"`, "SECRET")}, 'certificates', ${namesIn(`"${text}"`, "CERT")})
         where "${text}" like '%SECRET[%' or "${text}" like '%CERT[%'`,
      );
    }
    // The same rules as server/pipelines/delivery/selector.ts; a test holds the two together.
    this.addSql(
      `create function "node_selector_matches"(selector jsonb, labels jsonb) returns boolean
       language sql immutable parallel safe as $$
         select coalesce(bool_and(case term ->> 'operator'
           when 'equals' then coalesce(labels ->> (term ->> 'key') = (term -> 'values' ->> 0), false)
           when 'not_equals' then coalesce(labels ->> (term ->> 'key') <> (term -> 'values' ->> 0), true)
           when 'in' then jsonb_exists(labels, term ->> 'key')
             and jsonb_exists(term -> 'values', labels ->> (term ->> 'key'))
           when 'exists' then jsonb_exists(labels, term ->> 'key')
           when 'not_exists' then not jsonb_exists(labels, term ->> 'key')
           else false end), true)
         from jsonb_array_elements(selector) term
       $$`,
    );
  }

  override async down(): Promise<void> {
    this.addSql(`drop function "node_selector_matches"(jsonb, jsonb)`);
    this.addSql(
      `alter table "Certificate" drop column "contentDigest", drop column "details", drop column "updatedAt"`,
    );
    this.addSql(`alter table "Secret" drop column "valueDigest"`);
    this.addSql(`alter table "PipelineVersion" drop column "references"`);
    this.addSql(
      `alter table "Pipeline" drop column "nodeSelector", drop column "logLevel", drop column "references",
         drop column "deliveredHash", drop column "deliveryProblem"`,
    );
  }
}

function namesIn(text: string, kind: "SECRET" | "CERT"): string {
  return `(select coalesce(jsonb_agg(distinct m[1]), '[]') from regexp_matches(${text}, '\\m${kind}\\[([^][[:space:]]+)\\]', 'g') m)`;
}
