import type { Catalogue, OptionSpelling } from "../catalogue.ts";
import { isRecord, type GraphComponent } from "../graph.ts";

/** A value in a component that looks like a credential. */
export interface Credential {
  readonly path: readonly (string | number)[];
  /** Which part of the text at that path; of a number, all of it. */
  readonly from: number;
  readonly to: number;
  /** What it is taken for; never with the value. */
  readonly what: string;
  /** Whether a reference can stand in its place. */
  readonly movable: boolean;
}

/** A shape and the group that holds the credential; without one, the whole match does. */
interface Shape {
  readonly what: string;
  readonly pattern: RegExp;
}

const shapes: readonly Shape[] = [
  {
    what: "a password in an address",
    // Bounded, and only at the begin of a word: a long text is searched once and not from each of its letters.
    pattern: /\b[a-z][a-z0-9+.-]{0,30}:\/\/[^\s:/@?#]{0,256}:([^\s/@?#]{1,4096})@/di,
  },
  {
    what: "a token in an address",
    pattern: /\b[a-z][a-z0-9+.-]{0,30}:\/\/([A-Za-z0-9_-]{20,4096})@/di,
  },
  {
    what: "a token in an address",
    pattern:
      /[?&](?:access_?token|api[-_]?key|apikey|auth|key|password|secret|sig|signature|token)=([^\s&#]{6,})/di,
  },
  {
    what: "the secret part of a webhook's address",
    pattern: /hooks\.slack(?:-gov)?\.com\/(?:services|workflows)\/([A-Za-z0-9/_-]{12,})/d,
  },
  {
    what: "the secret part of a webhook's address",
    pattern: /discord(?:app)?\.com\/api\/(?:v\d+\/)?webhooks\/(\d+\/[A-Za-z0-9_-]{20,})/d,
  },
  {
    what: "the secret part of a webhook's address",
    pattern: /(?:webhook\.office\.com|outlook\.office\.com)\/webhook(?:b2)?\/([^\s?#]{20,})/d,
  },
  { what: "an AWS access key", pattern: /\b((?:AKIA|ASIA)[0-9A-Z]{16})\b/d },
  {
    what: "a GitHub token",
    pattern: /\b(gh[pousr]_[A-Za-z0-9]{30,}|github_pat_[A-Za-z0-9_]{40,})/d,
  },
  { what: "a GitLab token", pattern: /\b(glpat-[A-Za-z0-9_-]{20,})/d },
  { what: "a Slack token", pattern: /\b(xox[abeoprs]-[A-Za-z0-9-]{10,})/d },
  { what: "a Google API key", pattern: /\b(AIza[0-9A-Za-z_-]{35})/d },
  { what: "a Stripe key", pattern: /\b([rs]k_(?:live|test)_[A-Za-z0-9]{16,})/d },
  { what: "a New Relic key", pattern: /\b(NRAK-[A-Z0-9]{20,}|[0-9a-f]{36}NRAL)\b/d },
  { what: "a VectorFlow token", pattern: /\b(vf[aens]_[A-Za-z0-9_-]{20,})/d },
  {
    what: "a signed token",
    pattern: /\b(eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,})/d,
  },
  {
    what: "a private key",
    pattern: /(-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]+?(?:-----END [A-Z ]*PRIVATE KEY-----|$))/d,
  },
];

/** Any key of such a map counts as sensitive in the catalogue, though most headers are no secret. */
const headerMaps = /(?:^|\.)(?:[a-z_]*headers)\.\*$/;
const secretHeader = /auth|cookie|credential|key|passw|secret|token/i;
/** Sensitive to the schema, but these name an account and open nothing. */
const identities = /(?:^|\.)(?:account_id|client_id)$/;
const reference = /(?:SECRET|CERT|PARAM)\[[^[\]\s]+\]|\$\{[^}]+\}|\$[A-Z_]+/;
const programs = new Set(["source", "condition"]);

/**
 * Finds values that look like credentials: in options that hold one by their nature, in addresses, and by
 * well-known shapes. One for each value. Pure.
 */
export function findCredentials(
  component: GraphComponent,
  catalogue: Catalogue,
): readonly Credential[] {
  const facts = catalogue.component(component.kind, component.type);
  const spellings = facts === undefined ? [] : catalogue.spellings(facts);
  const sensitive = spellings.filter(({ option }) => option.sensitive !== undefined);
  const found: Credential[] = [];
  visitScalars(component.config, [], (value, path) => {
    const text = String(value);
    const credential = isSensitive(path, sensitive)
      ? wholeValue(text, path)
      : typeof value === "string"
        ? byShape(text, path)
        : undefined;
    if (credential !== undefined) found.push(credential);
  });
  return found;
}

/** What to call the secret that shall hold a credential: free among the names, and fit for a placeholder. */
export function proposeSecretName(
  component: GraphComponent,
  credential: Credential,
  taken: ReadonlySet<string>,
): string {
  const option = credential.path.findLast((step) => typeof step === "string") ?? "value";
  const base = `${component.key}_${option}`.replaceAll(/[^A-Za-z0-9_]+/g, "_").slice(0, 120);
  for (let index = 1; ; index += 1) {
    const name = index === 1 ? base : `${base}_${index}`;
    if (!taken.has(name)) return name;
  }
}

function isSensitive(
  path: readonly (string | number)[],
  options: readonly OptionSpelling[],
): boolean {
  // An item of a list is what the list is.
  const steps = typeof path.at(-1) === "number" ? path.slice(0, -1) : path;
  const dotted = dottedPath(steps);
  const parent = dottedPath(steps.slice(0, -1));
  return options.some((option) => {
    if (identities.test(option.path)) return false;
    if (option.path === dotted) return true;
    if (option.path !== `${parent}.*`) return false;
    return !headerMaps.test(option.path) || secretHeader.test(String(steps.at(-1)));
  });
}

/** As the catalogue writes paths. */
function dottedPath(path: readonly (string | number)[]): string {
  return path
    .map((step, index) => (typeof step === "number" ? "[]" : index === 0 ? step : `.${step}`))
    .join("");
}

function wholeValue(text: string, path: readonly (string | number)[]): Credential | undefined {
  if (text.trim() === "" || reference.test(text)) return undefined;
  return {
    path,
    from: 0,
    to: text.length,
    what: "a value that is meant to be secret",
    movable: true,
  };
}

function byShape(text: string, path: readonly (string | number)[]): Credential | undefined {
  // Long texts are programs and samples; their beginning is enough to warn by.
  const looked = text.slice(0, 65_536);
  const isProgram = programs.has(String(path.at(-1)));
  for (const { what, pattern } of shapes) {
    const match = pattern.exec(looked);
    const place = match?.indices?.[1];
    if (match === null || place === undefined || reference.test(match[1] ?? "")) continue;
    // In a program the quotes of the language would stand around the value, whatever it holds.
    return { path, from: place[0], to: place[1], what, movable: !isProgram };
  }
  return undefined;
}

function visitScalars(
  value: unknown,
  path: readonly (string | number)[],
  visit: (value: string | number, path: readonly (string | number)[]) => void,
): void {
  if (typeof value === "string" || typeof value === "number") visit(value, path);
  else if (Array.isArray(value)) {
    value.forEach((item: unknown, index) => visitScalars(item, [...path, index], visit));
  } else if (isRecord(value)) {
    for (const [key, child] of Object.entries(value)) visitScalars(child, [...path, key], visit);
  }
}
