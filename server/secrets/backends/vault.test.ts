import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { FakeClock } from "#common/clock.ts";
import { makeCertificates } from "../../testing/certificates.ts";
import { FakeVault } from "../../testing/fake-vault.ts";
import { BackendFailure, type ReadOutcome } from "./backend.ts";
import type { VaultSettings } from "./settings.ts";
import { VaultClient } from "./vault.ts";

const hour = 3_600_000;
const { signal } = new AbortController();

let vault: FakeVault;
let clock: FakeClock;
let folder: string;
const open: VaultClient[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "vectorflow-vault-"));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  vault = await FakeVault.start();
  clock = new FakeClock();
});
afterEach(async () => {
  await Promise.all(open.splice(0).map((client) => client[Symbol.asyncDispose]()));
  await vault[Symbol.asyncDispose]();
});

function client(
  settings: Partial<VaultSettings> = {},
  credential = "",
  networks: readonly string[] = ["127.0.0.0/8"],
): VaultClient {
  const made = new VaultClient({
    settings: {
      kind: "VAULT",
      refreshSeconds: 300,
      pathPrefix: "",
      address: vault.address,
      namespace: "",
      mount: "secret",
      caPem: "",
      auth: "token",
      authMount: "token",
      role: "",
      ...settings,
    },
    credential,
    networks,
    kubernetesTokenPath: join(folder, "token"),
    // Pauses between attempts pass at once; sessions end by the clock.
    clock: { now: () => clock.now(), sleep: async () => {} },
    random: () => 0,
  });
  open.push(made);
  return made;
}

const reference = (path: string, key = "password", version = "") => ({ path, key, version });

const textOf = (outcome: ReadOutcome | undefined): string =>
  outcome?.kind === "value"
    ? outcome.value
    : `${outcome?.failure.kind}: ${outcome?.failure.message}`;

const failureOf = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return "none";
  } catch (error) {
    if (!(error instanceof BackendFailure)) throw error;
    return `${error.kind}: ${error.message}`;
  }
};

describe("reading", () => {
  test("gives keys of paths, the newest or a pinned version, each path asked for once", async () => {
    vault.put("apps/web", { password: "old", port: 8080 });
    vault.put("apps/web", { password: "new", port: 8080, nested: { a: 1 }, none: null });
    const read = await client({}, vault.issue(undefined)).read(
      [
        reference("apps/web"),
        reference("apps/web", "port"),
        reference("apps/web", "nested"),
        reference("apps/web", "none"),
        reference("apps/web", "absent"),
        reference("apps/web", "password", "1"),
        reference("apps/web", "password", "7"),
        reference("apps/none"),
      ],
      signal,
    );
    expect(read.map(textOf)).toEqual([
      "new",
      "8080",
      '{"a":1}',
      "path: its value is empty",
      "path: it has no such key",
      "old",
      "path: there is no version 7 of apps/web in secret",
      "path: there is no apps/none in secret",
    ]);
    expect(vault.count("GET secret/data/apps/web")).toBe(1);
  });

  test("tells what is not allowed, deleted, or no engine of version 2 from one another", async () => {
    vault.put("apps/web", { password: "x" });
    vault.put("gone", { password: "x" });
    vault.remove("gone");
    const limited = client({}, vault.issue(undefined, /^apps\//));
    const read = await limited.read([reference("other/db"), reference("apps/web")], signal);
    expect(read.map(textOf)).toEqual(["permission: the sign-in may not read other/db", "x"]);
    const all = client({}, vault.issue(undefined));
    expect(textOf((await all.read([reference("gone")], signal))[0])).toBe("path: gone was deleted");
    vault.next.push(
      { status: 200, body: { data: { ttl: 0 } } },
      { status: 200, body: { data: { password: "of version 1" } } },
    );
    const [old] = await client({}, "t").read([reference("apps/web")], signal);
    expect(textOf(old)).toBe("answer: secret is no key-value engine of version 2");
  });

  test("sends the namespace, and escapes what stands in a path", async () => {
    vault.namespace = "team/a";
    vault.put("a b/ü?x", { password: "found" });
    const read = await client({ namespace: "team/a" }, vault.issue(undefined)).read(
      [reference("a b/ü?x")],
      signal,
    );
    expect(read.map(textOf)).toEqual(["found"]);
    expect(await failureOf(client({}, vault.issue(undefined)).check(signal))).toMatch(/^answer/);
  });
});

describe("signing in", () => {
  test("renews a token when half of its time is over, and never revokes it", async () => {
    const token = vault.issue(hour);
    const own = client({}, token);
    expect(await own.check(signal)).toBe(
      "Vault accepts the sign-in; it ends in 60 min, and it is renewed before that",
    );
    await own.keepAlive(signal);
    expect(vault.count("POST auth/token/renew-self")).toBe(0);
    for (let turn = 0; turn < 5; turn += 1) {
      clock.advance(0.6 * hour);
      vault.advance(0.6 * hour);
      await own.keepAlive(signal);
    }
    expect(vault.count("POST auth/token/renew-self")).toBe(5);
    vault.put("p", { password: "still" });
    expect((await own.read([reference("p")], signal)).map(textOf)).toEqual(["still"]);
    await own[Symbol.asyncDispose]();
    expect(vault.tokens.has(token)).toBe(true);
  });

  test("signs in by AppRole once for many reads, again when that has ended, and revokes it at the end", async () => {
    vault.allow("approle", "role-1", "secret-1", hour);
    vault.put("p", { password: "x" });
    const own = client({ auth: "approle", authMount: "approle", role: "role-1" }, "secret-1");
    await own.read([reference("p")], signal);
    await own.read([reference("p")], signal);
    expect(vault.count("POST auth/approle/login")).toBe(1);
    // Revoked by somebody: a refused read signs in anew before it is a refusal.
    vault.tokens.clear();
    expect((await own.read([reference("p")], signal)).map(textOf)).toEqual(["x"]);
    clock.advance(2 * hour);
    vault.advance(2 * hour);
    expect((await own.read([reference("p")], signal)).map(textOf)).toEqual(["x"]);
    expect(vault.count("POST auth/approle/login")).toBe(3);
    await own[Symbol.asyncDispose]();
    expect(vault.count("POST auth/token/revoke-self")).toBe(1);
  });

  test("signs in with the service account of a pod, read anew each time", async () => {
    vault.allow("kubernetes", "vectorflow", "jwt-2", hour);
    const settings = { auth: "kubernetes", authMount: "kubernetes", role: "vectorflow" } as const;
    expect(await failureOf(client(settings).check(signal))).toBe(
      "settings: this server has no service account token",
    );
    await writeFile(join(folder, "token"), "jwt-1\n");
    const own = client(settings);
    expect(await failureOf(own.check(signal))).toMatch(/^sign_in/);
    await writeFile(join(folder, "token"), "jwt-2\n");
    expect(await own.check(signal)).toMatch(/^Vault accepts/);
  });

  test.each([
    [{}, "wrong", /^sign_in: Vault does not accept the token/],
    [{ auth: "approle", authMount: "approle", role: "r" }, "wrong", /^sign_in: .* role/],
    [
      { auth: "approle", authMount: "other", role: "r" },
      "s",
      /^sign_in: .* no sign-in method at other/,
    ],
  ] as const)("says that %o with %s is refused", async (settings, credential, expected) => {
    vault.allow("approle", "r", "s", hour);
    expect(await failureOf(client(settings, credential).check(signal))).toMatch(expected);
  });
});

describe("an outage", () => {
  test("is waited out when it is short, as Vault asks, and told when it is not", async () => {
    vault.put("p", { password: "x" });
    const own = client({}, vault.issue(undefined));
    vault.next.push({ status: 429, headers: { "retry-after": "1" } }, { status: 500 });
    expect((await own.read([reference("p")], signal)).map(textOf)).toEqual(["x"]);
    vault.next.push({ status: 429 }, { status: 429 }, { status: 429 });
    expect(await failureOf(own.read([reference("p")], signal))).toBe(
      "unavailable: Vault limits how often it is asked",
    );
    vault.sealed = true;
    expect(await failureOf(own.read([reference("p")], signal))).toBe(
      "unavailable: Vault is sealed",
    );
    vault.sealed = false;
    vault.next.push({ status: 307, headers: { location: "https://10.0.0.9:8200/" } });
    expect(await failureOf(client({}, "t").check(signal))).toMatch(/^address: .*active node/);
    vault.next.push({ status: 200 });
    expect(await failureOf(client({}, "t").check(signal))).toMatch(/^answer: .*not Vault/);
  });

  test("of the address is one text for everything, which tells nothing of the network (X4)", async () => {
    await using closed = await FakeVault.start();
    const { address } = closed;
    await closed[Symbol.asyncDispose]().catch(() => {});
    const texts = [
      await failureOf(client({ address }, "t").check(signal)),
      await failureOf(client({ address: "https://name.invalid:8200" }, "t").check(signal)),
      // Not allowed, by number and by name (X5).
      await failureOf(client({}, "t", []).check(signal)),
      await failureOf(
        client({ address: vault.address.replace("127.0.0.1", "localhost") }, "t", []).check(signal),
      ),
      await failureOf(
        client({ address: "http://169.254.169.254" }, "t", ["0.0.0.0/0"]).check(signal),
      ),
    ];
    expect(new Set(texts).size).toBe(1);
    expect(texts[0]).toMatch(/^address: the address does not answer/);
    expect(vault.asked).toEqual([]);
  });

  test("of trust is told apart, and ends with the authority's certificate", async () => {
    const { ca, server } = makeCertificates();
    await using secure = await FakeVault.start(server);
    const token = secure.issue(undefined);
    const { address } = secure;
    expect(await failureOf(client({ address }, token).check(signal))).toMatch(/^tls: /);
    expect(secure.asked).toEqual([]);
    expect(await client({ address, caPem: ca }, token).check(signal)).toMatch(/^Vault accepts/);
  });
});
