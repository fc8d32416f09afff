import type { MessageInitShape } from "@bufbuild/protobuf";
import type { ServiceImpl } from "@connectrpc/connect";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import type {
  AuthenticationSettingsSchema,
  SettingsService,
} from "#gen/vectorflow/v1/settings_service_pb.ts";
import type { ServerDeps } from "../deps.ts";
import { FieldViolations } from "../errors.ts";
import { callScope } from "../rpc/call-scope.ts";
import { roleFromProto, roleToProto } from "../rpc/role-proto.ts";
import { isProviderUrl } from "./outbound-fetch.ts";
import { discover, redirectUriOf } from "./provider-client.ts";
import {
  readProviderSettings,
  recordIssuerTest,
  updateProviderSettings,
  type ProviderSettings,
} from "./settings.ts";

/** How people sign in. */
export function settingsRpc(deps: ServerDeps): ServiceImpl<typeof SettingsService> {
  const toProto = (
    settings: ProviderSettings,
  ): MessageInitShape<typeof AuthenticationSettingsSchema> => ({
    ...settings,
    defaultRole: roleToProto(settings.defaultRole),
    mappings: settings.mappings.map((mapping) => ({
      ...mapping,
      role: roleToProto(mapping.role),
    })),
    redirectUri: redirectUriOf(deps),
  });
  return {
    async getAuthenticationSettings(_request, ctx) {
      return { settings: toProto(await readProviderSettings(callScope(deps, ctx))) };
    },
    async updateAuthenticationSettings({ settings, clientSecret }, ctx) {
      const updated = await updateProviderSettings(callScope(deps, ctx), deps.sealer, {
        enabled: settings?.enabled ?? false,
        displayName: settings?.displayName ?? "",
        issuer: settings?.issuer ?? "",
        clientId: settings?.clientId ?? "",
        groupsClaim: settings?.groupsClaim === "" ? "groups" : (settings?.groupsClaim ?? "groups"),
        mappings: (settings?.mappings ?? []).map(({ group, teamId, role }, index) => ({
          group,
          teamId,
          role: roleFromProto(role, `mappings.${index}.role`),
        })),
        defaultTeamId: settings?.defaultTeamId ?? "",
        defaultRole:
          settings === undefined || settings.defaultRole === Role.UNSPECIFIED
            ? "VIEWER"
            : roleFromProto(settings.defaultRole, "default_role"),
        clientSecret,
      });
      return { settings: toProto(updated) };
    },
    async testIssuer({ issuer }, ctx) {
      if (!isProviderUrl(issuer)) {
        const violations = new FieldViolations();
        violations.add("issuer", "must be an https address without a user name");
        violations.throwIfAny();
      }
      const scope = callScope(deps, ctx);
      const works = await discover(issuer, "test").then(
        () => true,
        (error: unknown) => {
          // Host, port and cause stay in our log (X4): the answer must not map the network.
          scope.log.info("the discovery of an issuer failed", { error });
          return false;
        },
      );
      await recordIssuerTest(scope, issuer, works);
      const message = works
        ? ""
        : "this address does not answer as an OpenID provider: check it, and that this server may reach it";
      return { works, message };
    },
  };
}
