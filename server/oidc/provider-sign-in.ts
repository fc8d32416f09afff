import { audit } from "../audit/audit.ts";
import { Account } from "../auth/account.entity.ts";
import { createSession } from "../auth/sessions.ts";
import { withActor } from "../auth/sign-in.ts";
import { User } from "../auth/user.entity.ts";
import { lockUser } from "../auth/users.ts";
import type { Sealer } from "../crypto/sealer.ts";
import { newId } from "../db/columns.ts";
import type { Role } from "../db/enums.ts";
import { transact } from "../db/transaction.ts";
import { DomainError } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { TeamMember } from "../teams/team-member.entity.ts";
import { Team } from "../teams/team.entity.ts";

/** Whom the provider vouches for. */
export interface ProviderIdentity {
  readonly issuer: string;
  readonly subject: string;
  /** Undefined when the provider gives none, or says that it is not verified. */
  readonly email: string | undefined;
  readonly name: string | undefined;
  readonly tokens: {
    readonly accessToken: string;
    readonly refreshToken: string | undefined;
    readonly idToken: string | undefined;
    readonly expiresAt: Date | undefined;
  };
}

/**
 * Signs somebody in whom the provider vouches for. A new person gets an account without a password; an account that
 * is there with the same e-mail is not taken over, unless an admin allowed the link. Roles follow the provider's groups:
 * those that it gave before and gives no more are taken; roles that people gave are left alone.
 */
export async function signInByProvider(
  scope: Scope,
  sealer: Sealer,
  identity: ProviderIdentity,
  roles: ReadonlyMap<string, Role>,
  userAgent: string | undefined,
): Promise<{ token: string }> {
  return transact(scope, async (tx) => {
    const user = await accountFor(tx, identity);
    if (user.lockedAt != null) throw refused("locked");
    const now = scope.clock.now();
    user.lastSignInAt = now;
    await keepTokens(tx, sealer, user.id, identity);
    const changes = await syncRoles(tx, user.id, roles);
    const { token, sessionId } = createSession(tx, user.id, userAgent, "OIDC");
    audit(withActor(tx, user, sessionId), {
      action: "auth.signed_in",
      entityType: "User",
      entityId: user.id,
      metadata: { provider: identity.issuer, ...(changes.length > 0 && { roles: changes }) },
    });
    return { token };
  });
}

function refused(reason: string): DomainError {
  return new DomainError("unauthenticated", reason, "the provider's account cannot be used here");
}

async function accountFor(tx: Scope, identity: ProviderIdentity): Promise<User> {
  const { issuer, subject, email } = identity;
  const account = await tx.em.findOne(Account, { provider: issuer, providerAccountId: subject });
  if (account !== null) return lockUser(tx, account.userId);
  if (email === undefined) throw refused("email_missing");
  const existing = await tx.em.findOne(User, { email });
  if (existing === null) {
    const user = tx.em.create(User, {
      id: newId(),
      email,
      name: (identity.name ?? email).slice(0, 100),
      authMethod: "OIDC",
    });
    await tx.em.flush();
    audit(tx, {
      action: "user.created",
      entityType: "User",
      entityId: user.id,
      metadata: { email, provider: issuer },
    });
    return user;
  }
  const user = await lockUser(tx, existing.id);
  if (!user.oidcLinkAllowed) throw refused("account_exists");
  user.oidcLinkAllowed = false;
  return user;
}

async function keepTokens(
  tx: Scope,
  sealer: Sealer,
  userId: string,
  { issuer, subject, tokens }: ProviderIdentity,
): Promise<void> {
  const known = await tx.em.findOne(Account, { provider: issuer, providerAccountId: subject });
  const id = known?.id ?? newId();
  const seal = (column: string, text: string | undefined): string | null =>
    text === undefined ? null : sealer.seal(`Account.${column}/${id}`, text);
  const values = {
    accessToken: seal("accessToken", tokens.accessToken),
    refreshToken: seal("refreshToken", tokens.refreshToken),
    idToken: seal("idToken", tokens.idToken),
    expiresAt: tokens.expiresAt ?? null,
  };
  if (known !== null) tx.em.assign(known, values);
  else
    tx.em.create(Account, { id, userId, provider: issuer, providerAccountId: subject, ...values });
}

/** Makes the roles that come from the provider what it says now; tells what changed. */
async function syncRoles(
  tx: Scope,
  userId: string,
  roles: ReadonlyMap<string, Role>,
): Promise<{ teamId: string; before: Role | null; after: Role | null }[]> {
  const teams = await tx.em.find(Team, { id: { $in: [...roles.keys()] } });
  const members = await tx.em.find(TeamMember, { userId });
  const changes: { teamId: string; before: Role | null; after: Role | null }[] = [];
  for (const member of members) {
    if (!member.fromProvider) continue;
    const role = roles.get(member.teamId);
    if (role === member.role) continue;
    changes.push({ teamId: member.teamId, before: member.role, after: role ?? null });
    if (role === undefined) tx.em.remove(member);
    else member.role = role;
  }
  for (const { id: teamId } of teams) {
    const role = roles.get(teamId);
    if (role === undefined || members.some((member) => member.teamId === teamId)) continue;
    tx.em.create(TeamMember, { id: newId(), userId, teamId, role, fromProvider: true });
    changes.push({ teamId, before: null, after: role });
  }
  return changes;
}
