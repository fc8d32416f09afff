import { describe, expect, test } from "vitest";
import { mask, redactConfig, redactJson, redactText } from "./redact.ts";

const secret = 'p@ss"w$rd\\ of a pipeline';
const pem = `-----BEGIN PRIVATE KEY-----\n${"MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0\n".repeat(3)}-----END PRIVATE KEY-----\n`;

describe("redactText", () => {
  test.each([
    ["as it is", secret],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
    ["in an address", encodeURIComponent(secret)],
    ["in base 64", Buffer.from(secret).toString("base64")],
  ])("masks a known secret %s", (_how, form) => {
    expect(redactText(`before ${form} after`, [secret])).toBe(`before ${mask} after`);
  });

  test("masks every line of a known key, and a part of an unknown one", () => {
    const [, line = ""] = pem.split("\n");
    expect(redactText(`log: ${line} x`, [pem])).toBe(`log: ${mask} x`);
    expect(redactText(`a ${pem} b`, [])).not.toContain(line);
    expect(redactText(`cut off: ${pem.slice(0, 80)}`, [])).toBe(`cut off: ${mask}`);
  });

  test.each([
    ["authorization: Bearer abcdef123456", "abcdef123456"],
    ["https://user:hunter22@proxy.test/x", "hunter22"],
    ["https://hook.test/?api_key=abc123def&x=1", "abc123def"],
    ['{"password": "hunter22"}', "hunter22"],
    ["password=hunter22", "hunter22"],
    ["AKIAABCDEFGHIJKLMNOP", "AKIAABCDEFGHIJKLMNOP"],
    ["vfe_abcdefghijkl and vfn_abcdefghijkl", "abcdefghijkl"],
    ["eyJhbGciOi.eyJzdWIi.c2ln", "eyJzdWIi"],
    ["ghp_abcdefghijklmnop", "abcdefghijklmnop"],
  ])("masks what looks like a credential in %s", (text, hidden) => {
    expect(redactText(text, [])).not.toContain(hidden);
  });

  test("leaves ordinary lines alone, and is not undone by a tiny secret", () => {
    const line = '2026-01-01 INFO vector::app: Log level is enabled. level="info" tokens=3';
    expect(redactText(line, ["a", ""])).toBe(line);
  });

  test("leaves JSON what it is", () => {
    const value = {
      password: 'a"b',
      other: { api_key: "x1" },
      lines: ['said password="x2"', `sent ${secret}`],
      level: "ok",
    };
    expect(JSON.parse(redactJson(JSON.stringify(value), [secret]))).toEqual({
      password: mask,
      other: { api_key: mask },
      lines: [`said password="${mask}"`, `sent ${mask}`],
      level: "ok",
    });
  });
});

const config = `# the old password was hunter22
sources:
  in:
    type: http_server # token t0ps3cret
    address: 127.0.0.1:8080
    auth:
      strategy: basic
      username: bob
      password: hunter22
sinks:
  out:
    type: http
    uri: https://bob:hunter22@sink.test/path
    request:
      headers:
        X-Scope: hunter22
    encoding:
      codec: json
  es:
    type: elasticsearch
    api_key: hunter22
    endpoints: ["https://es.test"]
    auth: { strategy: aws, access_key_id: hunter22, secret_access_key: "SECRET[vectorflow.k]" }
    tls:
      key_file: /etc/key.pem
      key_pass: hunter22
`;

describe("redactConfig", () => {
  test("masks credentials and comments, and keeps what explains a failure", () => {
    const text = redactConfig(config, []);
    expect(text).not.toMatch(/hunter22|t0ps3cret|bob/);
    for (const kept of [
      "type: http_server",
      "address: 127.0.0.1:8080",
      "strategy: basic",
      "codec: json",
      "key_file: /etc/key.pem",
      "https://es.test",
      "SECRET[vectorflow.k]",
      "sink.test/path",
    ]) {
      expect(text).toContain(kept);
    }
  });

  test("shows nothing of a text that it cannot read", () => {
    expect(redactConfig("a: [unclosed\npassword: hunter22", [])).not.toContain("hunter22");
  });

  test("shows an empty text as one", () => {
    expect(redactConfig("", [])).not.toContain("redacted");
  });
});
