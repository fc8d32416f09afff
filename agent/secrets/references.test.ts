import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse, parseDocument } from "yaml";
import { SecretMask } from "./mask.ts";
import { bindReferences } from "./references.ts";
import { escapeForYaml } from "./yaml-escape.ts";

const placeholder = /SECRET\[__vectorflow_secrets\.([\w./-]+)\]/g;

/** Binds the references of a text and resolves them as Vector does: as text, and then parsed. */
function resolve(text: string, values: Readonly<Record<string, string>>) {
  const secrets = new Map(Object.entries(values));
  const document = parseDocument(text);
  const { problems } = bindReferences(document, {
    secrets,
    certificatePath: (name) => (name === "ca" ? "/data/certs/1.pem" : undefined),
  });
  const bound = document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
  const pasted = bound.replaceAll(placeholder, (_, name: string) =>
    escapeForYaml(secrets.get(name) ?? ""),
  );
  return { problems, bound, value: parse(pasted) as unknown };
}

describe("secrets in a configuration", () => {
  const pem = "-----BEGIN KEY-----\nMIIB+/=\n-----END KEY-----\n";

  test.each([
    ["quotes and backslashes", `a"b'c\\d`],
    ["a dollar sign and interpolation", "$HOME ${PATH:-x} $$"],
    ["line feeds, as in PEM", pem],
    ["what YAML takes for syntax", "- a: [b, {c: &d *e}] # f"],
    ["control characters and line separators", "\u0001\u0085\u2028\u2029\ufeff\u007f"],
    ["32 KiB", "x".repeat(32 * 1024)],
  ])("a value with %s arrives unchanged (A13)", (_, value) => {
    const { value: config } = resolve(
      "a: SECRET[k]\nb: 'pre SECRET[k] post'\nc: [\"SECRET[k]\"]\n",
      {
        k: value,
      },
    );
    expect(config).toEqual({ a: value, b: `pre ${value} post`, c: [value] });
  });

  test("any value arrives unchanged, wherever a string can stand", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", minLength: 1 }), (value) => {
        const { value: config } = resolve(
          'a:\n  b: |\n    x SECRET[k] y\n  c: "SECRET[k]"\n  d: x_SECRET[k]SECRET[k]\n',
          { k: value },
        );
        expect(config).toEqual({
          a: { b: `x ${value} y\n`, c: value, d: `x_${value}${value}` },
        });
      }),
    );
  });

  test("a number or a boolean that was written without quotes stays one (pit 32)", () => {
    const text = "a: SECRET[n]\nb: 'SECRET[n]'\nc: SECRET[t]\n";
    const { value } = resolve(text, { n: "0.5", t: "true" });
    expect(value).toEqual({ a: 0.5, b: "0.5", c: true });
  });

  test("what looks like a number and is none stays a text", () => {
    expect(resolve("a: SECRET[k]\n", { k: "007" }).value).toEqual({ a: "007" });
    expect(resolve("a: SECRET[k]\n", { k: "1_000" }).value).toEqual({ a: "1_000" });
  });

  test("a placeholder in a comment asks for nothing", () => {
    const { bound } = resolve("# SECRET[x.y]\na: 1 # SECRET[b.c]\nb: SECRET[k]\n", { k: "v" });
    expect(bound.match(/SECRET\[/g)).toHaveLength(1);
  });

  test("names what is missing by component and field", () => {
    const text =
      "sinks:\n  out:\n    auth:\n      password: SECRET[nope]\n    tls: {ca_file: 'CERT[x]'}\n";
    expect(resolve(text, {}).problems).toMatchObject(
      [
        { componentId: "out", field: "auth.password", message: /secret "nope"/ },
        { componentId: "out", field: "tls.ca_file", message: /certificate "x"/ },
      ].map(({ message, ...rest }) => ({
        ...rest,
        message: expect.stringMatching(message) as string,
      })),
    );
  });

  test("leaves backends alone that the configuration brings itself", () => {
    const text = "secret:\n  vault: {type: file, path: /x}\na: SECRET[vault.key]\n";
    const { problems, value } = resolve(text, {});
    expect(problems).toEqual([]);
    expect(value).toMatchObject({ a: "SECRET[vault.key]" });
  });

  test("a certificate becomes the path of its file", () => {
    expect(resolve("a: CERT[ca]\n", {}).value).toEqual({ a: "/data/certs/1.pem" });
  });
});

describe("the mask", () => {
  test("hides values as they are, escaped, and line by line (X4)", () => {
    const key = "-----BEGIN KEY-----\nabcdefghijklmnopqrst\n-----END KEY-----";
    const mask = new SecretMask(
      new Map([
        ["password", 'hun"ter2'],
        ["key", key],
      ]),
    );
    const text = `error: "hun\\"ter2" and hun"ter2, hun%22ter2; abcdefghijklmnopqrst`;
    expect(mask.apply(text)).toBe(
      'error: "[secret password]" and [secret password], [secret password]; [secret key]',
    );
  });

  test("leaves words alone that are too short to be secrets", () => {
    expect(new SecretMask(new Map([["n", "1"]])).apply("101")).toBe("101");
  });

  test("a value within another does not break the longer one", () => {
    const mask = new SecretMask(
      new Map([
        ["a", "pass"],
        ["b", "password"],
      ]),
    );
    expect(mask.apply("password pass")).toBe("[secret b] [secret a]");
  });
});
