import { defineEntity, p } from "@mikro-orm/core";
import { createdAt, id, json } from "../db/columns.ts";
import { SecretBackend } from "../db/enums.ts";
import { Team } from "../teams/team.entity.ts";

/** What must not leave the environment's hosts in samples and taps. */
export interface RedactionSetting {
  readonly fieldGlobs: readonly string[];
  readonly valuePatterns: readonly string[];
}

/** How the backend of secrets did when it was last asked. Times are ISO 8601. */
export interface SecretBackendStatus {
  readonly checkedAt: string;
  readonly failure?: string;
  /** In words, for admins. */
  readonly message?: string;
  readonly failingSince?: string;
}

const EnvironmentSchema = defineEntity({
  name: "Environment",
  comment: "Logical grouping that contains nodes, pipelines, secrets and certificates.",
  uniques: [{ name: "Environment_teamId_name_key", properties: ["teamId", "name"] }],
  properties: {
    id: id(),
    name: p.text(),
    isSystem: p.boolean().default(false),
    teamId: () =>
      p
        .manyToOne(Team)
        .mapToPk()
        .fieldName("teamId")
        .deleteRule("restrict")
        .nullable()
        .index("Environment_teamId_idx"),
    enrollmentTokenHash: p.text().nullable().hidden().unique("Environment_enrollmentTokenHash_key"),
    enrollmentTokenHint: p.text().nullable(),
    secretBackend: p
      .enum(() => SecretBackend)
      .nativeEnumName("SecretBackend")
      .default("BUILTIN"),
    secretBackendConfig: json<Record<string, unknown>>().nullable(),
    secretBackendCredential: p.text().nullable().hidden().comment("Encrypted."),
    secretBackendStatus: json<SecretBackendStatus>()
      .nullable()
      .comment("When the backend was last asked, and what it could not do."),
    gitRepoUrl: p.text().nullable(),
    gitBranch: p.text().nullable().default("main"),
    gitToken: p.text().nullable().hidden().comment("Encrypted."),
    generation: p
      .bigint("number")
      .default(1)
      .comment("Goes up with every change of what the environment's nodes shall run."),
    redaction: json<RedactionSetting>()
      .nullable()
      .comment("What must not leave hosts in samples and taps."),
    createdAt: createdAt(),
  },
});

export class Environment extends EnvironmentSchema.class {}
EnvironmentSchema.setClass(Environment);
