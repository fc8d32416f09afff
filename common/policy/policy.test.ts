import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { componentKinds, networkUse, type ComponentKind } from "./component-facts.ts";
import { describePolicy } from "./describe-policy.ts";
import { roleOf } from "./option-roles.ts";
import { parsePolicy } from "./policy.ts";

describe("parsePolicy", () => {
  test.each([
    ["nothing", undefined, "version must be 1"],
    ["a list", [], "the policy must be a map"],
    ["another version", { version: 2 }, "version must be 1"],
    ["an unknown key", { version: 1, file: {} }, "the policy has no key file"],
    ["an unknown key below", { version: 1, files: { reads: [] } }, "files has no key reads"],
    ["an unknown preset", { version: 1, preset: "strict" }, "preset must be one of"],
    ["a text for a list", { version: 1, files: { read: "/var" } }, "files.read must be a list"],
    ["a number in a list", { version: 1, files: { read: [1] } }, "1 is no text"],
    ["a relative root", { version: 1, files: { read: ["var"] } }, "is not an absolute path"],
    [
      "a root with a way up",
      { version: 1, files: { write: ["/srv/../etc"] } },
      "is not written out",
    ],
    ["a root with a pattern", { version: 1, files: { read: ["/var/*"] } }, "and no pattern"],
    [
      "a misspelt component",
      { version: 1, components: { deny: ["source/exce"] } },
      "is no component",
    ],
    ["an unknown kind", { version: 1, components: { allow: ["sauce/exec"] } }, "unknown kind"],
    ["half an IP address", { version: 1, destinations: { allow: ["10.*"] } }, "write a subnet"],
    ["a port of nothing", { version: 1, destinations: { allow: ["a:0"] } }, "no port"],
    ["ports the wrong way round", { version: 1, listen: { allow: ["loopback:9-1"] } }, "no port"],
    [
      "a bare IPv6 address",
      { version: 1, destinations: { allow: ["::1"] } },
      "put IPv6 in brackets",
    ],
    ["too wide a subnet", { version: 1, destinations: { deny: ["10.0.0.0/33"] } }, "is no subnet"],
    ["a name to listen on", { version: 1, listen: { allow: ["localhost:1"] } }, "is no IP address"],
    [
      "a call for a function",
      { version: 1, vrl: { deny: ["log()"] } },
      "is no name of a VRL function",
    ],
    ["a word for a flag", { version: 1, enforce_running: "yes" }, "must be true or false"],
  ])("refuses %s", (_name, value, problem) => {
    const parsed = parsePolicy(value);
    expect(parsed.policy).toBeUndefined();
    expect(parsed.problems.join("\n")).toContain(problem);
  });

  test("finds all problems at once", () => {
    const { problems } = parsePolicy({ version: 3, preset: "x", files: 1, vrl: { deny: ["-"] } });
    expect(problems).toHaveLength(4);
  });

  test("writes the preset out, with a person's own beside it", () => {
    const { policy } = parsePolicy({
      version: 1,
      preset: "restricted",
      components: { deny: ["sink/console"] },
      files: { write: ["/srv"] },
    });
    expect(policy).toMatchObject({
      programs: "deny",
      files: { read: [], write: ["/srv"] },
      listen: { allow: ["127.0.0.0/8:*", "[::1]:*"] },
    });
    expect(policy?.components.deny).toEqual(
      expect.arrayContaining(["source/exec", "sink/console"]),
    );
    expect(policy && describePolicy(policy).map(({ title }) => title)).toEqual([
      "Denied components",
      "Programs",
      "Reads",
      "Writes",
      "Listens on",
      "Denied VRL functions",
    ]);
  });

  test("says nothing of what it does not limit", () => {
    const { policy } = parsePolicy({ version: 1 });
    expect(policy && describePolicy(policy)).toEqual([]);
  });
});

describe("the documentation", () => {
  const text = readFileSync(new URL("../../docs/host-policy.md", import.meta.url), "utf8");

  test("has an example that is a policy", () => {
    const [, yaml = ""] = /```yaml\n([^]*?)```/.exec(text) ?? [];
    const { policy, problems } = parsePolicy(parse(yaml));
    expect(problems).toEqual([]);
    expect(policy).toMatchObject({ preset: "restricted", vrl: { allow: ["parse_groks"] } });
  });

  test("names every key", () => {
    const { policy } = parsePolicy({
      version: 1,
      components: { allow: [] },
      files: { read: [], write: [] },
      destinations: { allow: [] },
      listen: { allow: [] },
    });
    const keys = Object.entries({ ...policy }).flatMap(([key, value]) =>
      typeof value === "object" ? Object.keys(value).map((below) => `${key}.${below}`) : [key],
    );
    for (const key of keys) expect(text).toContain(`\`${key}\``);
  });
});

describe("what is known of Vector", () => {
  interface Option {
    readonly path: string;
    readonly type: string | readonly string[];
    readonly aliases?: readonly string[];
  }
  const catalogue = JSON.parse(
    readFileSync(new URL("../vector-catalogue.json", import.meta.url), "utf8"),
  ) as {
    readonly components: readonly {
      readonly kind: "source" | "transform" | "sink";
      readonly type: string;
      readonly options: readonly Option[];
    }[];
    readonly enrichment_tables: { readonly types: readonly string[] };
    readonly secret_backends: { readonly types: readonly string[] };
  };

  test("is every type of the catalogue", () => {
    const named = [
      ...catalogue.components.map(({ kind, type }) => [kind, type] as const),
      ...catalogue.enrichment_tables.types.map((type) => ["enrichment_table", type] as const),
      ...catalogue.secret_backends.types.map((type) => ["secret", type] as const),
    ];
    expect(named.filter(([kind, type]) => networkUse(kind, type) === undefined)).toEqual([]);
    expect(new Set(named.map(([kind]) => kind))).toEqual(new Set(componentKinds));
  });

  test("is the meaning of every option that looks like a path or an address", () => {
    // Looked at one by one: parts of URLs, names of fields, and what is below a person's own keys.
    const meansNothing = new Set([
      "source/fluent path_key",
      "source/http path",
      "source/http_server path",
      "source/prometheus_remote_write path",
      "source/http path_key",
      "source/http_server path_key",
      "sink/loki path",
      "sink/websocket_server message_buffering.message_id_path",
      "sink/websocket_server message_buffering.client_ack_config.message_id_path",
      "sink/splunk_hec_logs endpoint_target",
      "sink/mezmo hostname",
    ]);
    const looks =
      /(^|_)(file|files|path|paths|dir|dirs|directory|socket|endpoint|endpoints|uri|url|urls|address|addresses|host|hosts|hostname|servers|brokers|command|domain|site|connection_string)$/;
    const missed = catalogue.components.flatMap(({ kind, type, options }) =>
      options
        .filter((option) => {
          const name = option.path.split(".").at(-1) ?? "";
          if (!looks.test(name) || !/string|\*/.test(JSON.stringify(option.type))) return false;
          const path = option.path.replaceAll("[]", "").split(".");
          return roleOf(kind, type, path, true) === undefined;
        })
        .map(({ path }) => `${kind}/${type} ${path}`)
        .filter((name) => !meansNothing.has(name)),
    );
    // The command of exec and the source of lua are judged by the type.
    expect(missed).toEqual(["source/exec command"]);
  });

  test("is the same by every other name that Vector reads", () => {
    const roleAt = (kind: ComponentKind, type: string, path: string) =>
      roleOf(kind, type, path.replaceAll("[]", "").split("."), true);
    const others = catalogue.components.flatMap(({ kind, type, options }) =>
      options.flatMap(({ path, aliases = [] }) =>
        aliases.map((alias) => ({ kind, type, path, alias: path.replace(/[^.]+$/, alias) })),
      ),
    );
    expect(others.length).toBeGreaterThan(20);
    const wrong = others.filter(
      ({ kind, type, path, alias }) => roleAt(kind, type, path) !== roleAt(kind, type, alias),
    );
    expect(wrong).toEqual([]);
  });

  test("gives no transform's address or file away to the search for functions", () => {
    expect(roleOf("transform", "aws_ec2_metadata", ["endpoint"], true)).toBe("destination");
    expect(roleOf("transform", "remap", ["files"], true)).toBe("read");
    expect(roleOf("transform", "lua", ["search_dirs"], true)).toBe("read");
  });

  test("judges the options of every listener as listening, and of every other as connecting", () => {
    const wrong = catalogue.components.flatMap(({ kind, type, options }) => {
      const roles = new Set(
        options.map(({ path }) => roleOf(kind, type, path.replaceAll("[]", "").split("."), true)),
      );
      const listens = networkUse(kind, type) === "listens";
      return listens === (roles.has("listen") || type === "dnstap") ? [] : [`${kind}/${type}`];
    });
    expect(wrong).toEqual([]);
  });
});
