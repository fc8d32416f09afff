import { randomInt } from "node:crypto";
import { audit, diffOf } from "../audit/audit.ts";
import { announce } from "../db/changes.ts";
import { newId } from "../db/columns.ts";
import { freshView, transact } from "../db/transaction.ts";
import { unlessTaken } from "../db/unique.ts";
import { DomainError, FieldViolations, notFound } from "../errors.ts";
import type { Scope } from "../scope.ts";
import { membershipsOf, type MembershipView } from "./memberships.ts";
import type { Passwords } from "./passwords.ts";
import { endSessions } from "./sessions.ts";
import { User } from "./user.entity.ts";

/** An account with the teams it is in. */
export interface UserView {
  readonly user: User;
  readonly memberships: readonly MembershipView[];
}

/** Accounts by e-mail, after the given one. */
export async function listUsers(
  scope: Scope,
  search: string,
  after: string | undefined,
  limit: number,
): Promise<UserView[]> {
  const pattern = `%${search.trim().replaceAll(/[\\%_]/g, "\\$&")}%`;
  const found =
    search.trim() === ""
      ? {}
      : { $or: [{ email: { $ilike: pattern } }, { name: { $ilike: pattern } }] };
  const users = await scope.em.find(
    User,
    { ...found, ...(after !== undefined && { email: { $gt: after } }) },
    { orderBy: { email: "asc" }, limit },
  );
  const memberships = await membershipsOf(
    scope.em,
    users.map(({ id }) => id),
  );
  return users.map((user) => ({
    user,
    memberships: memberships.filter(({ userId }) => userId === user.id),
  }));
}

async function viewUser(scope: Scope, id: string): Promise<UserView> {
  const user = await freshView(scope).findOne(User, { id });
  if (user === null) throw notFound("user", id);
  return { user, memberships: await membershipsOf(scope.em, [id]) };
}

/** Adds an e-mail's violation unless it is one; returns it as it is stored. */
export function checkEmail(violations: FieldViolations, text: string): string {
  const email = violations.text("email", text, 3, 254).toLowerCase();
  if (!/^[^\s@]+@[^\s@]+$/.test(email)) violations.add("email", "must be an e-mail address");
  return email;
}

/** Adds a violation unless a password may be used. */
export function checkPassword(violations: FieldViolations, field: string, password: string): void {
  if (password.length < 8) violations.add(field, "must have at least 8 characters");
  if (password.length > 1024) violations.add(field, "must have at most 1024 characters");
}

const alphabet = "abcdefghjkmnpqrstuvwxyz23456789";

/** About 79 random bits in letters that nobody mistakes for one another. */
function temporaryPassword(): string {
  const group = (): string =>
    Array.from({ length: 4 }, () => alphabet[randomInt(alphabet.length)]).join("");
  return [group(), group(), group(), group()].join("-");
}

/** Creates an account with a temporary password. Throws `conflict` when the e-mail is taken. */
export async function createUser(
  scope: Scope,
  passwords: Passwords,
  input: { readonly email: string; readonly name: string; readonly superAdmin: boolean },
): Promise<UserView & { readonly temporaryPassword: string }> {
  const violations = new FieldViolations();
  const email = checkEmail(violations, input.email);
  const name = violations.text("name", input.name, 1, 100);
  violations.throwIfAny();
  const password = temporaryPassword();
  const passwordHash = await passwords.hash(password);
  const id = newId();
  const create = (): Promise<void> =>
    transact(scope, async (tx) => {
      tx.em.create(User, {
        id,
        email,
        name,
        passwordHash,
        isSuperAdmin: input.superAdmin,
        mustChangePassword: true,
      });
      audit(tx, {
        action: "user.created",
        entityType: "User",
        entityId: id,
        diff: diffOf({}, { email, name, superAdmin: input.superAdmin }),
      });
    });
  await unlessTaken(create, (cause) => {
    const text = `there is already an account for ${email}`;
    return new DomainError("conflict", "email_taken", text, { cause });
  });
  return { ...(await viewUser(scope, id)), temporaryPassword: password };
}

export interface UserChange {
  readonly id: string;
  readonly name?: string | undefined;
  readonly superAdmin?: boolean | undefined;
  readonly locked?: boolean | undefined;
}

/** Changes an account. Locking and a changed super admin flag end its sessions. */
export async function updateUser(scope: Scope, change: UserChange): Promise<UserView> {
  const violations = new FieldViolations();
  const name = change.name === undefined ? undefined : violations.text("name", change.name, 1, 100);
  violations.throwIfAny();
  await transact(scope, async (tx) => {
    const admins = await lockSuperAdmins(tx);
    const user = await lockUser(tx, change.id);
    const before = {
      name: user.name ?? "",
      superAdmin: user.isSuperAdmin,
      locked: user.lockedAt != null,
    };
    const after = {
      name: name ?? before.name,
      superAdmin: change.superAdmin ?? before.superAdmin,
      locked: change.locked ?? before.locked,
    };
    const diff = diffOf(before, after);
    const losesPower = after.locked || !after.superAdmin;
    if (diff["locked"] !== undefined && after.locked) refuseSelf(tx, user.id, "lock");
    if (diff["superAdmin"] !== undefined && !after.superAdmin) refuseSelf(tx, user.id, "demote");
    if (losesPower) refuseLast(admins, user.id);
    const now = scope.clock.now();
    user.name = after.name;
    user.isSuperAdmin = after.superAdmin;
    if (diff["locked"] !== undefined) user.lockedAt = after.locked ? now : null;
    // Unlocking also forgives the failures that locked for a while.
    if (change.locked === false) {
      user.lockedUntil = null;
      user.failedSignIns = 0;
    }
    await tx.em.flush();
    if (diff["locked"] !== undefined || diff["superAdmin"] !== undefined) {
      await endSessions(tx, user.id);
    }
    audit(tx, { action: "user.updated", entityType: "User", entityId: user.id, diff });
  });
  return viewUser(scope, change.id);
}

/** Replaces the password by a temporary one, which is returned once. */
export async function resetPassword(
  scope: Scope,
  passwords: Passwords,
  id: string,
): Promise<string> {
  const password = temporaryPassword();
  const passwordHash = await passwords.hash(password);
  await transact(scope, async (tx) => {
    const user = await lockUser(tx, id);
    refuseSelf(tx, id, "reset the password of");
    tx.em.assign(user, {
      passwordHash,
      mustChangePassword: true,
      failedSignIns: 0,
      lockedUntil: null,
    });
    await tx.em.flush();
    await endSessions(tx, id);
    audit(tx, { action: "user.password_reset", entityType: "User", entityId: id });
  });
  return password;
}

/** Lets the provider's account with the same e-mail be linked, once, at its next sign-in. */
export async function allowProviderLink(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    const user = await lockUser(tx, id);
    user.oidcLinkAllowed = true;
    audit(tx, { action: "user.provider_link_allowed", entityType: "User", entityId: id });
  });
}

/** Deletes an account with its sessions and memberships. */
export async function deleteUser(scope: Scope, id: string): Promise<void> {
  await transact(scope, async (tx) => {
    const admins = await lockSuperAdmins(tx);
    const user = await lockUser(tx, id);
    refuseSelf(tx, id, "delete");
    refuseLast(admins, id);
    audit(tx, {
      action: "user.deleted",
      entityType: "User",
      entityId: id,
      metadata: { email: user.email, name: user.name ?? "" },
    });
    await tx.em.nativeDelete(User, { id });
    await announce(tx.em, { kind: "access", userId: id });
  });
}

/** Two admins who demote each other at once wait for one another here. */
async function lockSuperAdmins(tx: Scope): Promise<readonly string[]> {
  const rows = await tx.em.execute<{ id: string }[]>(
    `select "id" from "User" where "isSuperAdmin" and "lockedAt" is null order by "id" for update`,
  );
  return rows.map(({ id }) => id);
}

/** Reads an account that nobody else changes before the transaction ends. */
export async function lockUser(tx: Scope, id: string): Promise<User> {
  await tx.em.execute(`select 1 from "User" where "id" = ? for update`, [id]);
  const user = await tx.em.findOne(User, { id });
  if (user === null) throw notFound("user", id);
  return user;
}

/** Throws when somebody does to themselves what only another may do to them. */
export function refuseSelf(scope: Scope, id: string, verb: string): void {
  const { actor } = scope;
  if (actor.kind !== "user" || actor.userId !== id) return;
  throw new DomainError(
    "precondition",
    "not_yourself",
    `you cannot ${verb} yourself: ask another super admin`,
  );
}

function refuseLast(admins: readonly string[], id: string): void {
  if (admins.length !== 1 || admins[0] !== id) return;
  throw new DomainError(
    "precondition",
    "last_super_admin",
    "this is the last super admin: make somebody else one first",
  );
}
