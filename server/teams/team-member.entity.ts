import { defineEntity, p } from "@mikro-orm/core";
import { User } from "../auth/user.entity.ts";
import { createdAt, id } from "../db/columns.ts";
import { Role } from "../db/enums.ts";
import { Team } from "./team.entity.ts";

const TeamMemberSchema = defineEntity({
  name: "TeamMember",
  comment: "Links users to teams with a role.",
  uniques: [{ name: "TeamMember_userId_teamId_key", properties: ["userId", "teamId"] }],
  properties: {
    id: id(),
    userId: () => p.manyToOne(User).mapToPk().fieldName("userId").deleteRule("cascade"),
    teamId: () =>
      p
        .manyToOne(Team)
        .mapToPk()
        .fieldName("teamId")
        .deleteRule("cascade")
        .index("TeamMember_teamId_idx"),
    role: p
      .enum(() => Role)
      .nativeEnumName("Role")
      .default("VIEWER"),
    fromProvider: p
      .boolean()
      .default(false)
      .comment("Given by the provider's groups, and taken by them at a later sign-in."),
    createdAt: createdAt(),
  },
});

export class TeamMember extends TeamMemberSchema.class {}
TeamMemberSchema.setClass(TeamMember);
