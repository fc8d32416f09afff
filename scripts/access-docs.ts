import { getOption } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import { Resource, audit, open_to, type TeamAccess } from "../gen/vectorflow/v1/options_pb.ts";
import { RoleSchema } from "../gen/vectorflow/v1/role_pb.ts";
import { userServices } from "../server/routes.ts";
import { ruleOf } from "../server/rpc/access-interceptor.ts";

const introduction = `# Access rules

Generated from the contracts. "Member" is somebody in the team that owns the named thing; super admins count as its
admins, and an API token as a member with its role. Whoever is no member learns nothing, not even that the thing exists.

`;

function audienceOf(method: (typeof userServices)[number]["methods"][number]): string {
  const rule = ruleOf(method);
  switch (rule?.case) {
    case "public":
      return "anyone";
    case "signedIn":
      return "anyone signed in, API tokens";
    case "person":
      return "anyone signed in";
    case "superAdmin":
      return "super admins";
    case "team": {
      const people = rule.value.person ? ", no API tokens" : "";
      const { also } = rule.value;
      const there = also === undefined ? "" : `; and ${membersOf(also)}`;
      return `${membersOf(rule.value)}${people}${there}`;
    }
    default:
      return "nobody";
  }
}

function membersOf({ role, resource, field }: TeamAccess): string {
  const least = RoleSchema.value[role]?.name.replace("ROLE_", "").toLowerCase() ?? "?";
  const thing = Object.entries(Resource).find(([, value]) => value === resource)?.[0] ?? "?";
  return `member from ${least} on, by \`${field}\` (${thing.toLowerCase()})`;
}

/** docs/access-rules.md, from the rules that the server enforces. */
export function renderAccessDocs(): string {
  const tables = userServices.map((service) => {
    const rows = service.methods.map((method) => {
      const reads = method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
      const action = reads ? "–" : `\`${getOption(method, audit)}\``;
      const note = getOption(method, open_to).length > 0 ? " (also before a debt is paid)" : "";
      return `| ${method.name} | ${audienceOf(method)}${note} | ${action} |\n`;
    });
    return `## ${service.name}\n\n| rpc | who | audit |\n| --- | --- | --- |\n${rows.join("")}`;
  });
  return introduction + tables.join("\n");
}
