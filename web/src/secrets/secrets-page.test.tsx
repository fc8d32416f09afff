import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import { screen, within } from "@solidjs/testing-library";
import { expect, test } from "vitest";

import { Role } from "#gen/vectorflow/v1/role_pb.ts";
import { CertificateSchema, CertificateType, SecretSchema } from "#gen/vectorflow/v1/secret_pb.ts";
import {
  SecretBackend,
  SecretBackendFailure,
  SecretBackendHealthSchema,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { MissingReferenceSchema } from "#gen/vectorflow/v1/secret_service_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { failure, FakeWorld } from "../testing/fake-world.ts";
import { renderApp } from "../testing/render-app.tsx";
import { expiryOf } from "./expiry.ts";

const used = { pipelineId: "pipe-1", pipelineName: "auth-logs", draft: true, deployed: true };

function withSecret(): FakeWorld {
  const world = new FakeWorld();
  world.secrets.secrets.set("pw", create(SecretSchema, { id: "pw", name: "pw", uses: [used] }));
  world.secrets.values.set("pw", "hunter2");
  return world;
}

test("says what secrets are for when there are none, and takes the first", async () => {
  const { world, user } = renderApp("/e/env-1/secrets");
  expect(await screen.findByText("No secrets")).toBeTruthy();
  expect(screen.getByText("No certificates")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Create secret" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "es_password");
  await user.type(within(dialog).getByLabelText("Value"), " spaces stay ");
  await user.click(within(dialog).getByRole("button", { name: "Create secret" }));
  expect(await screen.findByRole("rowheader", { name: "es_password" })).toBeTruthy();
  expect(world.secrets.values.get("es_password")).toBe(" spaces stay ");
});

test("shows a value only after it was asked for, and forgets it", async () => {
  const { world, user } = renderApp("/e/env-1/secrets", withSecret());
  await user.click(await screen.findByRole("button", { name: "Reveal pw" }));
  expect(world.secrets.revealed).toEqual([]);
  expect(document.body.textContent).not.toContain("hunter2");
  await user.click(await screen.findByRole("button", { name: "Reveal value" }));
  expect((await screen.findByLabelText("Value of pw")).textContent).toBe("hunter2");
  expect(world.secrets.revealed).toEqual(["pw"]);
  const dialog = screen.getByRole("dialog");
  const [, close] = within(dialog).getAllByRole("button", { name: "Close" });
  await user.click(close ?? dialog);
  await expect.poll(() => document.body.textContent).not.toContain("hunter2");
});

test("says whom a new value reaches, before and after", async () => {
  const { world, user } = renderApp("/e/env-1/secrets", withSecret());
  await user.click(await screen.findByRole("button", { name: "New value for pw" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText(/get the new value at once/).textContent).toContain("auth-logs");
  await user.type(within(dialog).getByLabelText("Value"), "rotated");
  await user.click(within(dialog).getByRole("button", { name: "Save value" }));
  expect(await screen.findByText("Hosts get the new value now: auth-logs")).toBeTruthy();
  expect(world.secrets.values.get("pw")).toBe("rotated");
});

test("deletes what is deployed only when its name is typed, naming who uses it", async () => {
  const { world, user } = renderApp("/e/env-1/secrets", withSecret());
  await user.click(await screen.findByRole("button", { name: "Delete pw" }));
  const dialog = await screen.findByRole("dialog");
  expect(within(dialog).getByText(/Deployed pipelines use it/).textContent).toContain("auth-logs");
  const confirm = within(dialog).getByRole("button", { name: "Delete secret" });
  await user.click(confirm);
  expect(world.secrets.secrets.size).toBe(1);
  await user.type(within(dialog).getByLabelText("Type pw to confirm"), "pw");
  await user.click(confirm);
  expect(await screen.findByText("No secrets")).toBeTruthy();
});

test("names what pipelines use and nobody created", async () => {
  const world = new FakeWorld();
  world.secrets.missing = [create(MissingReferenceSchema, { name: "gone", uses: [used] })];
  renderApp("/e/env-1/secrets", world);
  expect((await screen.findByText("SECRET[gone]")).parentElement?.textContent).toContain(
    "does not exist, but is used by auth-logs (deployed)",
  );
});

test("a viewer sees names and can do nothing; a failure says so where it happened", async () => {
  const world = withSecret();
  world.user = { ...world.user, superAdmin: false };
  for (const environment of world.environments) environment.role = Role.VIEWER;
  world.failNext("listCertificates", failure(Code.PermissionDenied, "not for you", "not_allowed"));
  renderApp("/e/env-1/secrets", world);
  expect(await screen.findByRole("rowheader", { name: "pw" })).toBeTruthy();
  expect(screen.queryByRole("button", { name: "Create secret" })).toBeNull();
  expect(screen.queryByRole("button", { name: "Reveal pw" })).toBeNull();
  expect((await screen.findByRole("alert")).textContent).toContain("Not for you.");
});

test("adds a certificate, and says what is wrong with one", async () => {
  const { world, user } = renderApp("/e/env-1/secrets");
  await user.click(await screen.findByRole("button", { name: "Add certificate" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "corp-ca");
  await user.type(within(dialog).getByLabelText("PEM"), "nothing");
  const add = within(dialog).getByRole("button", { name: "Add certificate" });
  await user.click(add);
  expect(await within(dialog).findByText("Is not PEM.")).toBeTruthy();
  const pem = "-----BEGIN CERTIFICATE-----";
  await user.clear(within(dialog).getByLabelText("PEM"));
  await user.type(within(dialog).getByLabelText("PEM"), pem);
  await user.click(add);
  expect(await screen.findByRole("table", { name: "Certificates" })).toBeTruthy();
  expect(world.secrets.certificates.get("corp-ca")).toMatchObject({
    type: CertificateType.CA,
    filename: "corp-ca.pem",
  });
});

test("a certificate that has ended stands out", async () => {
  const world = new FakeWorld();
  world.secrets.certificates.set(
    "old",
    create(CertificateSchema, {
      id: "old",
      name: "old",
      type: CertificateType.CERT,
      facts: { subject: "CN=logs", expireTime: toTimestamp(Date.now() - 1000) },
    }),
  );
  renderApp("/e/env-1/secrets", world);
  expect(await screen.findByText("ended")).toBeTruthy();
  const now = Date.UTC(2026, 0, 1);
  expect(expiryOf(now + 3 * 86_400_000 + 1, now)).toEqual({ tone: "warn", text: "ends in 3 days" });
  expect(expiryOf(Date.UTC(2027, 0, 1), now)).toEqual({ tone: "ok", text: "2027-01-01" });
});

test("an admin chooses Vault, tries it, and saves; values are references from then on", async () => {
  const { world, user } = renderApp("/e/env-1/secrets");
  await user.selectOptions(
    await screen.findByRole("combobox", { name: "Where values are kept" }),
    "HashiCorp Vault (KV version 2)",
  );
  const save = screen.getByRole("button", { name: "Save" });
  await user.click(save);
  expect(await screen.findByText("Must be an address.")).toBeTruthy();
  await user.type(screen.getByLabelText("Address"), "https://vault.example.com:8200");
  await user.type(screen.getByLabelText("Token"), "hvs.token");
  world.secrets.testFailures.push("Vault is sealed");
  const tryIt = screen.getByRole("button", { name: "Test" });
  await user.click(tryIt);
  expect(await screen.findByText("Vault is sealed.")).toBeTruthy();
  await user.type(screen.getByLabelText("Path to read"), "apps/web");
  await user.click(tryIt);
  expect(await screen.findByText("The secret can be read.")).toBeTruthy();
  await user.click(save);
  await expect.poll(() => world.secrets.credential).toBe("hvs.token");
  expect(world.secrets.settings.vault?.address).toBe("https://vault.example.com:8200");
  expect(await screen.findByRole("button", { name: "Read now" })).toBeTruthy();
  expect(document.body.textContent).not.toContain("hvs.token");
  await user.click(screen.getByRole("button", { name: "Create secret" }));
  const dialog = await screen.findByRole("dialog");
  await user.type(within(dialog).getByLabelText("Name"), "db");
  await user.type(within(dialog).getByLabelText("Path"), "apps/web");
  await user.type(within(dialog).getByLabelText("Key"), "password");
  await user.click(within(dialog).getByRole("button", { name: "Create secret" }));
  expect(await screen.findByText("apps/web · password")).toBeTruthy();
});

test("says in an outage since when, and how old the value is that hosts go on with", async () => {
  const world = new FakeWorld();
  world.user = { ...world.user, superAdmin: false };
  for (const environment of world.environments) environment.role = Role.VIEWER;
  const since = toTimestamp(Date.now() - 3_600_000);
  world.secrets.health = create(SecretBackendHealthSchema, {
    backend: SecretBackend.VAULT,
    failure: SecretBackendFailure.UNAVAILABLE,
    failingSinceTime: since,
  });
  const reference = { path: "apps/web", key: "password", version: "3" };
  const failure = SecretBackendFailure.PATH;
  for (const secret of [
    { id: "a", name: "a", reference, failure, readTime: since },
    { id: "b", name: "b", reference, failure },
    { id: "c", name: "c", reference, readTime: since },
  ]) {
    world.secrets.secrets.set(secret.id, create(SecretSchema, secret));
  }
  renderApp("/e/env-1/secrets", world);
  expect((await screen.findByText(/Vault fails/)).textContent).toBe(
    "Vault fails: it is not able to answer. It began 1 h ago. Hosts go on with the last good values.",
  );
  const values = screen.getAllByText(/Last good value from/);
  expect(values.map(({ textContent }) => /value from (.*)\.$/.exec(textContent)?.[1])).toEqual([
    "1 h ago",
    "1 h ago",
  ]);
  expect(screen.getByText(/It has no value yet/)).toBeTruthy();
  expect(screen.queryByText("Where values are kept")).toBeNull();
});
