import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { MemberSchema, TeamSchema } from "#gen/vectorflow/v1/team_pb.ts";

import { fakeCode, temporaryPassword } from "../testing/fake-access.ts";
import { failure, FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";

test("a temporary password stands before everything until it is replaced", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, mustChangePassword: true };
  const { user } = renderApp("/settings/profile", world);
  expect(await screen.findByRole("heading", { name: "Choose a password" })).toBeTruthy();
  await user.type(screen.getByLabelText("Temporary password"), "wrong");
  await user.type(screen.getByLabelText("New password"), "a long new one");
  await user.type(screen.getByLabelText("New password again"), "a long new on");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(screen.getByText("This is not the same.")).toBeTruthy();
  await user.type(screen.getByLabelText("New password again"), "e");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByText("Is not your current password.")).toBeTruthy();
  await user.clear(screen.getByLabelText("Temporary password"));
  await user.type(screen.getByLabelText("Temporary password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Change password" }));
  expect(await screen.findByRole("heading", { name: "Profile" })).toBeTruthy();
  expect(world.password).toBe("a long new one");
});

test("the profile shows where one is signed in, and ends a session", async () => {
  const { world, user } = renderApp("/settings/profile");
  expect(await screen.findByText("Firefox on Linux")).toBeTruthy();
  expect(screen.getAllByRole("button", { name: "End session" })).toHaveLength(1);
  await user.click(screen.getByRole("button", { name: "End session" }));
  await expect.poll(() => screen.queryByText(/grpc-node-js/)).toBeNull();
  expect(world.access.sessions.map(({ id }) => id)).toEqual(["session-1"]);
});

test("a changed name is shown at once", async () => {
  const { user } = renderApp("/settings/profile");
  const name = await screen.findByLabelText("Name");
  await user.clear(name);
  await user.type(name, "Anna Bergström");
  await user.click(screen.getByRole("button", { name: "Save name" }));
  expect(await screen.findByRole("link", { name: "Anna Bergström" })).toBeTruthy();
});

test("a new account gets a temporary password, shown once", async () => {
  const { user } = renderApp("/settings/users");
  await user.click(await screen.findByRole("button", { name: "Create account" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.type(dialog.getByLabelText("E-mail"), "anna@example.net");
  await user.type(dialog.getByLabelText("Name"), "Mia");
  await user.click(dialog.getByRole("button", { name: "Create account" }));
  expect((await dialog.findByRole("alert")).textContent).toBe(
    "There is already an account for anna@example.net.",
  );
  await user.clear(dialog.getByLabelText("E-mail"));
  await user.type(dialog.getByLabelText("E-mail"), "mia@example.net");
  await user.click(dialog.getByRole("button", { name: "Create account" }));
  expect(await screen.findByText(temporaryPassword)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Done" }));
  await expect.poll(() => screen.queryByText(temporaryPassword)).toBeNull();
  expect(await screen.findByText("mia@example.net")).toBeTruthy();
});

test("an account is locked after a question, and nothing is offered for one's own", async () => {
  const { user } = renderApp("/settings/users");
  expect(await screen.findByText("You")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Lock" }));
  await user.click(await screen.findByRole("button", { name: "Lock account" }));
  expect(await screen.findByRole("button", { name: "Unlock" })).toBeTruthy();
  expect(screen.getByText("locked")).toBeTruthy();
});

test("says why an account cannot be changed", async () => {
  const { world, user } = renderApp("/settings/users");
  await user.click(await screen.findByRole("button", { name: "Lock" }));
  const text = "this is the last super admin: make somebody else one first";
  world.failNext("updateUser", failure(Code.FailedPrecondition, text, "last_super_admin"));
  await user.click(await screen.findByRole("button", { name: "Lock account" }));
  expect((await screen.findByRole("alert")).textContent).toContain("last super admin");
});

test("a team's members are added by e-mail, get another role, and leave", async () => {
  const { world, user } = renderApp("/settings/teams");
  await user.click(await screen.findByRole("link", { name: "Security" }));
  await user.type(await screen.findByLabelText("Add a person by e-mail"), "nobody@example.net");
  await user.click(screen.getByRole("button", { name: "Add" }));
  expect(await screen.findByText(/Belongs to no account/)).toBeTruthy();
  await user.clear(screen.getByLabelText("Add a person by e-mail"));
  await user.type(screen.getByLabelText("Add a person by e-mail"), "jonas@example.net");
  await user.click(screen.getByRole("button", { name: "Add" }));
  const role = await screen.findByLabelText("Role of jonas@example.net");
  await user.selectOptions(role, "Editor");
  await expect.poll(() => world.access.members.get("team-2")?.[0]?.role).toBe(2);
  await user.click(await screen.findByRole("button", { name: "Remove" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.click(dialog.getByRole("button", { name: "Remove" }));
  expect(await screen.findByText("Nobody is in it yet")).toBeTruthy();
});

test("lists of several pages are shown as a whole", async () => {
  const world = new FakeWorld();
  world.largestPage = 2;
  const people = Array.from({ length: 5 }, (_, index) => `p${index}@example.net`);
  world.access.members.set(
    "team-1",
    people.map((email) => create(MemberSchema, { userId: email, email, name: email })),
  );
  world.access.teams = [
    ...Array.from({ length: 4 }, (_, index) => create(TeamSchema, { id: `other-${index}` })),
    ...world.access.teams,
  ];
  renderApp("/settings/teams/team-1", world);
  const table = within(await screen.findByRole("table", { name: "Members" }));
  expect(table.getAllByRole("row")).toHaveLength(1 + people.length);
  expect(screen.queryByText(/There are more than fit here/)).toBeNull();
});

test("a list that does not end is read up to a bound, and says so", async () => {
  const world = new FakeWorld();
  world.largestPage = 1;
  world.access.members.set(
    "team-1",
    Array.from({ length: 30 }, (_, index) =>
      create(MemberSchema, { userId: `u${index}`, email: `p${index}@example.net`, name: "P" }),
    ),
  );
  renderApp("/settings/teams/team-1", world);
  expect(await screen.findByText(/There are more than fit here/)).toBeTruthy();
  const table = within(screen.getByRole("table", { name: "Members" }));
  expect(table.getAllByRole("row")).toHaveLength(1 + 20);
});

test("who is no super admin finds no accounts in the settings", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, superAdmin: false };
  renderApp("/settings/teams", world);
  expect(await screen.findByRole("link", { name: "Teams" })).toBeTruthy();
  expect(screen.queryByRole("link", { name: "Accounts" })).toBeNull();
});

test("the audit is filtered by its address, pages back, and shows what changed", async () => {
  const { user, path } = renderApp("/settings/audit");
  const list = within(await screen.findByRole("list", { name: "Audit rows" }));
  expect(list.getAllByRole("listitem")).toHaveLength(50);
  await user.click(screen.getByRole("button", { name: "Older" }));
  await expect.poll(() => list.getAllByRole("listitem").length).toBe(10);
  await user.type(screen.getByLabelText("Action"), "pipeline.");
  await expect.poll(path).toBe("/settings/audit?action=pipeline.");
  await expect.poll(() => list.getAllByRole("listitem").length).toBe(20);
  await user.click(list.getAllByRole("button")[0] as HTMLElement);
  expect(await screen.findByText('"name 0"')).toBeTruthy();
  await user.type(screen.getByLabelText("Person"), "nobody");
  expect(await screen.findByText("Nothing matches")).toBeTruthy();
});

test("the audit is saved as a file of what the filter finds", async () => {
  const saved: Blob[] = [];
  URL.createObjectURL = (blob) => {
    saved.push(blob as Blob);
    return "blob:audit";
  };
  URL.revokeObjectURL = () => {};
  const { user } = renderApp("/settings/audit?action=pipeline.");
  await user.click(await screen.findByRole("button", { name: "Export CSV" }));
  await expect.poll(() => saved.length).toBe(1);
  expect(saved[0]?.size).toBe("pipeline.updated\n".length * 20);
});

test("an API token is shown once, and revoked after a question", async () => {
  const { world, user } = renderApp("/settings/teams/team-1");
  await user.click(await screen.findByRole("button", { name: "Create token" }));
  const dialog = within(await screen.findByRole("dialog"));
  await user.type(dialog.getByLabelText("What it is for"), "deploys");
  await user.selectOptions(dialog.getByLabelText("Role"), "Editor");
  await user.selectOptions(dialog.getByLabelText("Expires after"), "No end");
  await user.click(dialog.getByRole("button", { name: "Create token" }));
  expect(await screen.findByText("vfa_k7fqw2mz9xtdh4pc")).toBeTruthy();
  expect(world.access.apiTokens[0]).toMatchObject({ name: "deploys", role: 2 });
  expect(world.access.apiTokens[0]?.expireTime).toBeUndefined();
  await user.click(screen.getByRole("button", { name: "Done" }));
  await user.click(await screen.findByRole("button", { name: "Revoke deploys" }));
  await user.click(await screen.findByRole("button", { name: "Revoke token" }));
  expect(await screen.findByText("No tokens")).toBeTruthy();
});

test("a team may require a second factor, which stands before everything until it is on", async () => {
  const world = new FakeWorld();
  const { user } = renderApp("/settings/teams/team-1", world);
  await user.click(await screen.findByLabelText("Members need a second factor"));
  await expect.poll(() => world.access.teams[0]?.requireSecondFactor).toBe(true);
});

test("a second factor is set up by QR code, and its backup codes are shown once", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, mustSetUpSecondFactor: true };
  const { user } = renderApp("/settings/profile", world);
  await user.type(await screen.findByLabelText("Your password"), "correct horse");
  await user.click(screen.getByRole("button", { name: "Set up an authenticator app" }));
  expect(await screen.findByRole("img", { name: /QR code/ })).toBeTruthy();
  await user.type(screen.getByLabelText("Code"), "000000");
  await user.click(screen.getByRole("button", { name: "Turn it on" }));
  expect(await screen.findByText("Is wrong or was used already.")).toBeTruthy();
  await user.clear(screen.getByLabelText("Code"));
  await user.type(screen.getByLabelText("Code"), fakeCode);
  await user.click(screen.getByRole("button", { name: "Turn it on" }));
  const codes = within(await screen.findByRole("list", { name: "Backup codes" }));
  expect(codes.getAllByRole("listitem")).toHaveLength(10);
  await user.click(screen.getByRole("button", { name: "I have kept them" }));
  expect(await screen.findByRole("heading", { name: "Profile" })).toBeTruthy();
  expect(screen.getByText("10 backup codes are left.")).toBeTruthy();
});

test("a provider is tested, saved with its groups, and its secret never comes back", async () => {
  const { world, user } = renderApp("/settings/authentication");
  await user.click(await screen.findByLabelText("People may sign in through it"));
  await user.click(screen.getByRole("button", { name: "Save" }));
  expect(await screen.findByText("Is required.")).toBeTruthy();
  await user.type(screen.getByLabelText("Issuer"), "https://nowhere.example.com");
  await user.click(screen.getByRole("button", { name: "Test" }));
  expect(await screen.findByText(/does not answer as an OpenID provider/)).toBeTruthy();
  await user.clear(screen.getByLabelText("Issuer"));
  await user.type(screen.getByLabelText("Issuer"), "https://id.example.com");
  await user.click(screen.getByRole("button", { name: "Test" }));
  expect(await screen.findByText("The provider answers.")).toBeTruthy();
  await user.type(screen.getByLabelText("Client id"), "vectorflow");
  await user.type(screen.getByLabelText("Client secret"), "between us");
  await user.type(screen.getByLabelText("Name on the button"), "Example ID");
  await user.click(screen.getByRole("button", { name: "Add a group" }));
  const row = within(screen.getByRole("group", { name: "Mapping 1" }));
  await user.type(row.getByLabelText("Group"), "ops");
  await user.selectOptions(row.getByLabelText("Role"), "Admin");
  await user.click(screen.getByRole("button", { name: "Save" }));
  await expect.poll(() => world.access.clientSecret).toBe("between us");
  expect(world.access.authentication.mappings).toMatchObject([
    { group: "ops", teamId: "team-1", role: 3 },
  ]);
  await expect.poll(() => screen.getByLabelText<HTMLInputElement>("Client secret").value).toBe("");
  expect(screen.getByText("One is kept. Leave this empty to keep it.")).toBeTruthy();
});
