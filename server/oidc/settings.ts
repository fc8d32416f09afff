import { audit, diffOf } from "../audit/audit.ts";
import { readSettings } from "../auth/setup.ts";
import type { Sealer } from "../crypto/sealer.ts";
import type { Role } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { FieldViolations } from "../errors.ts";
import type { Scope } from "../scope.ts";
import type { SystemSettings } from "../settings/system-settings.entity.ts";
import { Team } from "../teams/team.entity.ts";
import type { GroupMapping } from "./group-roles.ts";
import { isProviderUrl } from "./outbound-fetch.ts";

const secretContext = "SystemSettings.oidcClientSecret/singleton";

/** The provider's settings as people see them: the secret is only known to be there. */
export interface ProviderSettings {
  readonly enabled: boolean;
  readonly displayName: string;
  readonly issuer: string;
  readonly clientId: string;
  readonly hasClientSecret: boolean;
  readonly groupsClaim: string;
  readonly mappings: readonly GroupMapping[];
  readonly defaultTeamId: string;
  readonly defaultRole: Role;
}

export async function readProviderSettings(scope: Pick<Scope, "em">): Promise<ProviderSettings> {
  return view(await readSettings(scope));
}

/** The client secret in clear, to talk to the provider with. */
export async function readClientSecret(
  scope: Pick<Scope, "em">,
  sealer: Sealer,
): Promise<string | undefined> {
  const { oidcClientSecret } = await readSettings(scope);
  return oidcClientSecret == null
    ? undefined
    : sealer.open(secretContext, oidcClientSecret).toString();
}

function view(row: SystemSettings): ProviderSettings {
  return {
    enabled: row.oidcEnabled,
    displayName: row.oidcDisplayName ?? "",
    issuer: row.oidcIssuer ?? "",
    clientId: row.oidcClientId ?? "",
    hasClientSecret: row.oidcClientSecret != null,
    groupsClaim: row.oidcGroupsClaim,
    mappings: row.oidcGroupMappings ?? [],
    defaultTeamId: row.oidcDefaultTeamId ?? "",
    defaultRole: row.oidcDefaultRole,
  };
}

/** Replaces the settings. An empty client secret keeps the one that is there. */
export async function updateProviderSettings(
  scope: Scope,
  sealer: Sealer,
  input: Omit<ProviderSettings, "hasClientSecret"> & { readonly clientSecret: string },
): Promise<ProviderSettings> {
  return transact(scope, async (tx) => {
    await tx.em.execute(`select 1 from "SystemSettings" for update`);
    const row = await readSettings(tx);
    const before = view(row);
    const violations = new FieldViolations();
    const after = {
      enabled: input.enabled,
      displayName: violations.text("display_name", input.displayName, 0, 50),
      issuer: violations.text("issuer", input.issuer, input.enabled ? 1 : 0, 500),
      clientId: violations.text("client_id", input.clientId, input.enabled ? 1 : 0, 500),
      groupsClaim: violations.text("groups_claim", input.groupsClaim, 1, 100),
      mappings: input.mappings,
      defaultTeamId: input.defaultTeamId,
      defaultRole: input.defaultRole,
    };
    if (after.issuer !== "" && !isProviderUrl(after.issuer)) {
      violations.add("issuer", "must be an https address without a user name");
    }
    // The kept secret is for the provider that it was given for, and goes to no other (S19).
    if (before.hasClientSecret && after.issuer !== before.issuer && input.clientSecret === "") {
      violations.add("client_secret", "must be given again, because the issuer changed");
    }
    if (input.enabled && !before.hasClientSecret && input.clientSecret === "") {
      violations.add("client_secret", "is required");
    }
    if (input.mappings.length > 500) violations.add("mappings", "may have at most 500 entries");
    await checkTeams(tx, violations, after);
    violations.throwIfAny();
    const secret =
      input.clientSecret === ""
        ? row.oidcClientSecret
        : sealer.seal(secretContext, input.clientSecret);
    tx.em.assign(row, {
      oidcEnabled: after.enabled,
      oidcDisplayName: after.displayName,
      oidcIssuer: after.issuer === "" ? null : after.issuer,
      oidcClientId: after.clientId === "" ? null : after.clientId,
      oidcClientSecret: secret ?? null,
      oidcGroupsClaim: after.groupsClaim,
      oidcGroupMappings: [...after.mappings],
      oidcDefaultTeamId: after.defaultTeamId === "" ? null : after.defaultTeamId,
      oidcDefaultRole: after.defaultRole,
    });
    audit(tx, {
      action: "settings.authentication_updated",
      entityType: "SystemSettings",
      entityId: "singleton",
      diff: diffOf({ ...before }, after),
      metadata: { clientSecretReplaced: input.clientSecret !== "" },
    });
    return view(row);
  });
}

async function checkTeams(
  tx: Scope,
  violations: FieldViolations,
  after: { readonly mappings: readonly GroupMapping[]; readonly defaultTeamId: string },
): Promise<void> {
  const ids = [...after.mappings.map(({ teamId }) => teamId), after.defaultTeamId].filter(Boolean);
  const teams = await tx.em.find(Team, { id: { $in: ids } });
  const known = new Set(teams.map(({ id }) => id));
  after.mappings.forEach(({ group, teamId }, index) => {
    if (!known.has(teamId)) violations.add(`mappings.${index}.team_id`, "is no team");
    if (group.trim() === "" || group.length > 200) {
      violations.add(`mappings.${index}.group`, "must have 1 to 200 characters");
    }
  });
  if (after.defaultTeamId !== "" && !known.has(after.defaultTeamId)) {
    violations.add("default_team_id", "is no team");
  }
}

/** Records that an issuer was called. */
export async function recordIssuerTest(
  scope: Scope,
  issuer: string,
  works: boolean,
): Promise<void> {
  await transact(scope, async (tx) =>
    audit(tx, {
      action: "settings.issuer_tested",
      entityType: "SystemSettings",
      entityId: "singleton",
      metadata: { issuer: issuer.slice(0, 500), works },
    }),
  );
}
