import { audit } from "../audit/audit.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { addEnvironment } from "../environments/environments.ts";
import { DomainError, FieldViolations } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { SystemSettings } from "../settings/system-settings.entity.ts";
import { TeamMember } from "../teams/team-member.entity.ts";
import { Team } from "../teams/team.entity.ts";
import type { Passwords } from "./passwords.ts";
import { createSession } from "./sessions.ts";
import { hashToken, matchesHash, newToken } from "./tokens.ts";
import { User } from "./user.entity.ts";
import { checkEmail, checkPassword } from "./users.ts";

/** The one row of settings. */
export async function readSettings(scope: Pick<Scope, "em">): Promise<SystemSettings> {
  return scope.em.findOneOrFail(SystemSettings, { id: "singleton" });
}

/**
 * A token for the first run, or undefined once that is done. A new one at each start of the server: the
 * database holds only its hash, and the log of an old start shall not be a key.
 */
export async function createSetupToken(scope: Scope): Promise<string | undefined> {
  return transact(scope, async (tx) => {
    const settings = await readSettings(tx);
    if (settings.setupCompletedAt != null) return undefined;
    const token = newToken("vft");
    settings.setupTokenHash = hashToken(token);
    return token;
  });
}

export interface SetupInput {
  readonly setupToken: string;
  readonly email: string;
  readonly name: string;
  readonly password: string;
  readonly teamName: string;
  readonly environmentName: string;
  readonly userAgent: string | undefined;
}

export interface SetupResult {
  readonly user: User;
  readonly teamId: string;
  readonly environmentId: string;
  readonly token: string;
  readonly sessionId: string;
}

/**
 * The first run: super admin, team, environment and session, all or nothing. The settings row is locked, so
 * that of two callers one is refused. `also` runs in the same transaction.
 */
export async function completeSetup(
  scope: Scope,
  passwords: Passwords,
  input: SetupInput,
  also: (scope: Scope, result: SetupResult) => Promise<void>,
): Promise<SetupResult> {
  const violations = new FieldViolations();
  const email = checkEmail(violations, input.email);
  const name = violations.text("name", input.name, 1, 100);
  const teamName = violations.text("team_name", input.teamName, 1, 100);
  const environmentName = violations.text("environment_name", input.environmentName, 1, 100);
  checkPassword(violations, "password", input.password);
  violations.throwIfAny();
  const passwordHash = await passwords.hash(input.password);
  return transact(scope, async (tx) => {
    await tx.em.execute(`select 1 from "SystemSettings" for update`);
    const settings = await readSettings(tx);
    if (settings.setupCompletedAt != null) {
      throw new DomainError(
        "precondition",
        "setup_completed",
        "the first run has been done: sign in",
      );
    }
    if (
      settings.setupTokenHash == null ||
      !matchesHash(input.setupToken, settings.setupTokenHash)
    ) {
      throw new DomainError(
        "forbidden",
        "setup_token_wrong",
        "the setup token is not the current one: take it from the server's newest log",
      );
    }
    const now = scope.clock.now();
    settings.setupCompletedAt = now;
    settings.setupTokenHash = null;
    const user = tx.em.create(User, {
      id: newId(),
      email,
      name,
      passwordHash,
      isSuperAdmin: true,
      lastSignInAt: now,
    });
    const team = tx.em.create(Team, { id: newId(), name: teamName });
    tx.em.create(TeamMember, { id: newId(), userId: user.id, teamId: team.id, role: "ADMIN" });
    await tx.em.flush();
    const { token, sessionId } = createSession(tx, user.id, input.userAgent);
    const ipAddress = scope.actor.kind === "system" ? undefined : scope.actor.ipAddress;
    const asUser: Scope = {
      ...tx,
      actor: {
        kind: "user",
        userId: user.id,
        sessionId,
        email,
        name,
        isSuperAdmin: true,
        ipAddress,
      },
    };
    audit(asUser, {
      action: "setup.completed",
      entityType: "User",
      entityId: user.id,
      teamId: team.id,
      metadata: { teamName, environmentName },
    });
    const environmentId = await addEnvironment(asUser, team.id, environmentName);
    const result = { user, teamId: team.id, environmentId, token, sessionId };
    await also(asUser, result);
    return result;
  });
}
