import { systemClock } from "#common/clock.ts";
import { silentLogger } from "#common/logger.ts";
import { createSession } from "../auth/sessions.ts";
import { User } from "../auth/user.entity.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { TeamMember } from "../teams/team-member.entity.ts";
import type { TestServer } from "./test-server.ts";

/** Adds a person with a role to a team, and returns the token of a session of theirs. */
export async function newMemberToken(
  test: TestServer,
  teamId: string,
  role: Role,
): Promise<string> {
  const { orm, signal } = test.server.deps;
  return orm.em.fork().transactional(async (em) => {
    const userId = newId();
    em.create(User, {
      id: userId,
      email: `${userId}@example.com`,
      name: role,
      createdAt: new Date(),
      updatedAt: new Date(),
    });
    await em.flush();
    em.create(TeamMember, { userId, teamId, role, createdAt: new Date() });
    const actor = { kind: "system" as const };
    const scope = { em, actor, clock: systemClock, log: silentLogger, signal };
    return createSession(scope, userId, undefined).token;
  });
}
