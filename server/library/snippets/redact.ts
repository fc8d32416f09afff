import type { BuiltInSnippet } from "../built-in-snippets.ts";

/** Programs that hide what nobody shall read. */
export const redactSnippets: readonly BuiltInSnippet[] = [
  {
    id: "builtin-e-mail-addresses",
    name: "E-mail addresses",
    description: "Replaces e-mail addresses in the message.",
    category: "Redact",
    condition: false,
    code: String.raw`.message = redact(string!(.message), filters: [r'[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}'])`,
    example: {
      event: { message: "anna.berg@example.com signed in" },
      result: { message: "[REDACTED] signed in" },
    },
  },
  {
    id: "builtin-card-numbers",
    name: "Card numbers",
    description: "Replaces 13 to 16 digits, with spaces or dashes between them.",
    category: "Redact",
    condition: false,
    code: String.raw`.message = redact(string!(.message), filters: [r'\b(?:\d[ -]?){12,15}\d\b'])`,
    example: {
      event: { message: "paid with 4111 1111 1111 1111 today" },
      result: { message: "paid with [REDACTED] today" },
    },
  },
  {
    id: "builtin-bearer-tokens",
    name: "Tokens in headers",
    description: "Replaces what an authorization header holds.",
    category: "Redact",
    condition: false,
    code: `.message = redact(string!(.message), filters: [r'(?i)(?:bearer|basic) [A-Za-z0-9._~+/=-]+'])`,
    example: {
      event: { message: "authorization: Bearer abc.def.ghi" },
      result: { message: "authorization: [REDACTED]" },
    },
  },
  {
    id: "builtin-network-of-address",
    name: "Addresses down to their network",
    description: "Cuts the last part of an IPv4 address off.",
    category: "Redact",
    condition: false,
    code: `.client = ip_subnet!(string!(.client), "/24")`,
    example: { event: { client: "192.0.2.77" }, result: { client: "192.0.2.0" } },
  },
  {
    id: "builtin-pseudonym",
    name: "A pseudonym for a user",
    description:
      "Replaces a name by a keyed digest: equal names stay equal, and nobody reads them. Give it a key of your own, as a secret.",
    category: "Redact",
    condition: false,
    code: `.user = encode_base16(hmac(string!(.user), "a key of your own"))`,
    example: {
      event: { user: "anna" },
      result: { user: "65c96a2e7c61e9654e9f64041f687143dedcd4f72f06b461346500136a02f3f6" },
    },
  },
  {
    id: "builtin-sensitive-keys",
    name: "Fields that should not be there",
    description: "Removes fields with well-known names, at the top and in headers.",
    category: "Redact",
    condition: false,
    code: `del(.password)
del(.token)
del(.authorization)
del(.headers.cookie)
del(.headers.authorization)`,
    example: {
      event: { user: "anna", password: "x", headers: { cookie: "s=1", host: "a" } },
      result: { headers: { host: "a" }, user: "anna" },
    },
  },
  {
    id: "builtin-password-in-address",
    name: "Passwords in addresses",
    description: "Hides the password of addresses such as those of databases.",
    category: "Redact",
    condition: false,
    code: `parsed, err = parse_regex(.dsn, r'^(?P<before>[a-z+]+://[^:/@]+):[^@/]+@(?P<after>.*)$')
if err == null {
  .dsn = join!([parsed.before, ":[hidden]@", parsed.after])
}`,
    example: {
      event: { dsn: "postgres://app:hunter2@db.example.com/shop" },
      result: { dsn: "postgres://app:[hidden]@db.example.com/shop" },
    },
  },
];
