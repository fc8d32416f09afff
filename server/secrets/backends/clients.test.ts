import { expect, test } from "vitest";
import { FakeClock } from "#common/clock.ts";
import { FakeVault } from "../../testing/fake-vault.ts";
import { BackendClients } from "./clients.ts";
import type { SecretBackendConfig } from "./server-limits.ts";
import type { VaultSettings } from "./settings.ts";

const limits: SecretBackendConfig = {
  networks: ["127.0.0.1"],
  commands: {},
  kubernetesAddresses: [],
  kubernetesTokenPath: "/nowhere",
  awsHostIdentity: false,
};

const settings = (address: string, more: Partial<VaultSettings> = {}): VaultSettings => ({
  kind: "VAULT",
  refreshSeconds: 300,
  pathPrefix: "",
  address,
  namespace: "",
  mount: "secret",
  caPem: "",
  auth: "approle",
  authMount: "approle",
  role: "r",
  ...more,
});

const { signal } = new AbortController();

test("what the operator of the server does not allow any more is not opened", async () => {
  await using clients = new BackendClients(limits, new FakeClock());
  const pod = settings("https://vault.example.com", { auth: "kubernetes" });
  expect(() => clients.open({ settings: pod, credential: "" })).toThrow(/not allowed/);
  const reader = { backendType: "", configJson: "", command: "reader", pathPrefix: "" } as const;
  const exec = { kind: "EXEC", refreshSeconds: 300, ...reader } as const;
  expect(() => clients.open({ settings: exec, credential: "" })).toThrow(/not allowed/);
});

test("an environment has one sign-in, which ends when its settings change or nobody uses it", async () => {
  await using vault = await FakeVault.start();
  vault.allow("approle", "r", "s", 86_400_000);
  vault.put("p", { k: "v" });
  const clock = new FakeClock();
  await using clients = new BackendClients(limits, clock);
  const read = (more: Partial<VaultSettings> = {}) =>
    clients.use("e", { settings: settings(vault.address, more), credential: "s" }, (client) =>
      client.read([{ path: "p", key: "k", version: "" }], signal),
    );
  await Promise.all([read(), read()]);
  await read();
  const logins = () => vault.count("POST auth/approle/login");
  const before = logins();
  // Two that begin at once may both sign in; afterwards one serves all.
  expect(before).toBeLessThanOrEqual(2);
  await read({ pathPrefix: "p" });
  expect(logins()).toBe(before + 1);
  await expect.poll(() => vault.count("POST auth/token/revoke-self")).toBe(1);
  clock.advance(3_700_000);
  vault.advance(3_700_000);
  await clients.keepAlive(signal);
  await expect.poll(() => vault.count("POST auth/token/revoke-self")).toBe(2);
});
