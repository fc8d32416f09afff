import { isMap, isScalar, isSeq, parseDocument, type Node } from "yaml";

export const mask = "[redacted]";

/** Shorter texts are everywhere, and would turn the whole file into masks. */
const shortestKnown = 4;
const shortestLine = 8;

/** Names of options whose values are secrets. */
const secretName =
  /pass(?:word|wd|phrase)?|secret|token|credential|api[_-]?key|access[_-]?key|private[_-]?key|(?:^|[_.-])(?:auth|authorization|cookie|key_pass|sas|dsn|connection_string|signature|jwt|bearer)(?:$|[_.-])/i;
/** Names that look like those and are none. */
const harmlessName =
  /^(?:token_path|key_file|crt_file|ca_file|.*_field|key_field|max_.*|strategy)$/i;
/** Groups below which every value may be a credential. */
const secretGroup = /^(?:headers|auth|credentials|sasl|query_parameters|env|environment)$/i;
/** Members of such groups that say how, not what. */
const harmlessMember = /^(?:strategy|enabled|mechanism|region|username_field|clear_env)$/i;

/** Texts that give themselves away, wherever they are. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, mask],
  [/\b(vf[a-z]_)[A-Za-z0-9_-]{6,}/g, `$1${mask}`],
  [/\b(Bearer|Basic|Digest|Splunk|ApiKey|Token)[ \t]+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${mask}`],
  [/([a-z][a-z0-9+.-]*:\/\/)[^\s/@"']+@/gi, `$1${mask}@`],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/g, mask],
  [
    /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|sk-|hf_|AIza|dd[a-z]?_)[A-Za-z0-9_-]{10,}/g,
    mask,
  ],
  [/\beyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*/g, mask],
  [
    /([?&](?:api_?key|token|sig|signature|secret|password|access_?key|code)=)[^&\s"']+/gi,
    `$1${mask}`,
  ],
];

/** `password=…`, `"api_key": "…"`; a reference to a secret is none. */
const assignment =
  /(["']?\b[\w.-]*(?:password|passwd|passphrase|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?[ \t]*[:=][ \t]*)(?!["']?(?:SECRET\[|\$\{|\[redacted\]))(?:(["'])(?:\\.|(?!\2).)*\2|[^\s,;}\]"']+)/gi;

/** Masks, in any text, what looks like a credential, and every secret that is known. */
export function redactText(text: string, known: readonly string[]): string {
  const forms = known
    .filter((secret) => secret.length >= shortestKnown)
    .flatMap(formsOf)
    .toSorted((a, b) => b.length - a.length);
  let redacted = text;
  for (const form of new Set(forms)) redacted = redacted.replaceAll(form, mask);
  for (const [pattern, replacement] of patterns) {
    redacted = redacted.replaceAll(pattern, replacement);
  }
  return redacted.replaceAll(
    assignment,
    (_all, name: string, quote: string | undefined) => `${name}${quote ?? ""}${mask}${quote ?? ""}`,
  );
}

/** Masks the strings in a JSON text one by one, so that it stays one. A text that is none is masked as a text. */
export function redactJson(text: string, known: readonly string[]): string {
  const clean = (value: unknown, key: string): unknown => {
    if (typeof value === "string") {
      return secretName.test(key) && value !== "" ? mask : redactText(value, known);
    }
    if (Array.isArray(value)) return value.map((item) => clean(item, key));
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [redactText(name, known), clean(item, name)]),
    );
  };
  try {
    return `${JSON.stringify(clean(JSON.parse(text), ""), null, 2)}\n`;
  } catch {
    return redactText(text, known);
  }
}

/** How a secret may look in a text: as it is, in JSON, in an address, in base 64, and each of its longer lines. */
function formsOf(secret: string): readonly string[] {
  const base64 = Buffer.from(secret).toString("base64");
  const lines = secret.split(/\r?\n/).filter((line) => line.length >= shortestLine);
  return [
    secret,
    JSON.stringify(secret).slice(1, -1),
    encodeURIComponent(secret.toWellFormed()),
    base64,
    base64.replaceAll("=", ""),
    Buffer.from(secret).toString("base64url"),
    ...lines,
  ];
}

/** Whether a value is only the place of a secret, and tells nothing. */
function isReference(value: string): boolean {
  return /^(?:SECRET\[[^\]]*\]|\$\{[^}]*\})$/.test(value);
}

/**
 * Masks a configuration of Vector: values of options that hold credentials, headers, and all that `redactText`
 * finds. A text that is no YAML is not shown at all.
 */
export function redactConfig(yaml: string, known: readonly string[]): string {
  const document = parseDocument(yaml, { logLevel: "silent" });
  if (document.errors.length > 0) return "# not shown: this is no YAML that could be read\n";
  if (document.contents !== null) maskNode(document.contents, false);
  // Comments may hold anything.
  document.commentBefore = null;
  document.comment = null;
  return redactText(document.toString(), known);
}

function maskNode(node: Node, isSecret: boolean): void {
  node.comment = null;
  node.commentBefore = null;
  if (isScalar(node)) {
    if (isSecret && !isReference(String(node.value))) node.value = mask;
    return;
  }
  if (isSeq(node)) {
    for (const item of node.items) maskNode(item as Node, isSecret);
    return;
  }
  if (!isMap(node)) return;
  for (const { key, value } of node.items) {
    const name = isScalar(key) ? String(key.value) : "";
    const keyNode = key as Node;
    keyNode.comment = null;
    keyNode.commentBefore = null;
    const named = secretName.test(name) && !harmlessName.test(name);
    const inGroup = secretGroup.test(name);
    const inherits = isSecret && !harmlessMember.test(name);
    if (value !== null) maskNode(value as Node, named || inGroup || inherits);
  }
}
