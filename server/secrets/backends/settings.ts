import { X509Certificate } from "node:crypto";
import { FieldViolations } from "../../errors.ts";
import type { SecretReference } from "./backend.ts";
import { problemOfAddress } from "./outbound.ts";
import type { SecretBackendConfig } from "./server-limits.ts";

export interface VaultSettings {
  readonly kind: "VAULT";
  readonly refreshSeconds: number;
  readonly pathPrefix: string;
  readonly address: string;
  readonly namespace: string;
  readonly mount: string;
  readonly caPem: string;
  readonly auth: "token" | "approle" | "kubernetes";
  readonly authMount: string;
  /** Of AppRole the role id. */
  readonly role: string;
}

export interface AwsSettings {
  readonly kind: "AWS_SM";
  readonly refreshSeconds: number;
  readonly pathPrefix: string;
  readonly region: string;
  /** Empty: the region's own. */
  readonly endpoint: string;
  readonly caPem: string;
  /** Empty: the server's own identity. */
  readonly accessKeyId: string;
}

export interface ExecSettings {
  readonly kind: "EXEC";
  readonly refreshSeconds: number;
  readonly pathPrefix: string;
  /** Its name in the server's configuration. */
  readonly command: string;
  readonly backendType: string;
  readonly configJson: string;
}

export type ExternalSettings = VaultSettings | AwsSettings | ExecSettings;
/** What an environment's secretBackend and secretBackendConfig say together. */
export type BackendSettings = { readonly kind: "BUILTIN" } | ExternalSettings;

export const defaultRefreshSeconds = 300;

/** Whether signing in takes a credential that is kept. */
export function needsCredential(settings: BackendSettings): boolean {
  switch (settings.kind) {
    case "VAULT":
      return settings.auth !== "kubernetes";
    case "AWS_SM":
      return settings.accessKeyId !== "";
    default:
      return false;
  }
}

/** Where a credential goes to: one that is kept is never sent anywhere else (S19). */
export function destinationOf(settings: BackendSettings): string {
  switch (settings.kind) {
    case "VAULT": {
      const { address, caPem, auth, authMount, role, namespace } = settings;
      return JSON.stringify(["VAULT", address, caPem, auth, authMount, role, namespace]);
    }
    case "AWS_SM": {
      const { endpoint, region, caPem, accessKeyId } = settings;
      return JSON.stringify(["AWS_SM", endpoint, region, caPem, accessKeyId]);
    }
    default:
      return settings.kind;
  }
}

/** Adds a violation for everything that cannot work, or that this server does not allow. */
export function checkSettings(
  settings: BackendSettings,
  limits: SecretBackendConfig,
  violations: FieldViolations,
): void {
  if (settings.kind === "BUILTIN") return;
  const { refreshSeconds, pathPrefix } = settings;
  if (refreshSeconds < 30 || refreshSeconds > 86_400) {
    violations.add("refresh_seconds", "must be 30 to 86400");
  }
  if (pathPrefix.length > 500) violations.add("path_prefix", "must have at most 500 characters");
  switch (settings.kind) {
    case "VAULT":
      checkVault(settings, limits, violations);
      break;
    case "AWS_SM":
      checkAws(settings, limits, violations);
      break;
    case "EXEC":
      checkExec(settings, limits, violations);
      break;
  }
}

function checkVault(
  settings: VaultSettings,
  limits: SecretBackendConfig,
  violations: FieldViolations,
): void {
  const problem = problemOfAddress(settings.address);
  if (problem !== undefined) violations.add("vault.address", problem);
  if (settings.namespace.length > 500 || /[^\x21-\x7e]/.test(settings.namespace)) {
    violations.add("vault.namespace", "must be a name without spaces");
  }
  for (const [field, path] of [
    ["vault.mount", settings.mount],
    ["vault.auth_mount", settings.authMount],
  ] as const) {
    if (!isPath(path)) violations.add(field, "must be a path such as team/kv, without .. in it");
  }
  checkPem("vault.ca_pem", settings.caPem, violations);
  if (settings.auth === "token") return;
  if (settings.role === "") violations.add("vault.role", "is required");
  const origin = problem === undefined ? new URL(settings.address).origin : "";
  if (settings.auth === "kubernetes" && !limits.kubernetesAddresses.includes(origin)) {
    violations.add(
      "vault.auth",
      "needs this address in VECTORFLOW_VAULT_KUBERNETES_ADDRESSES of the server: the service account is shown to no other",
    );
  }
}

function checkAws(
  settings: AwsSettings,
  limits: SecretBackendConfig,
  violations: FieldViolations,
): void {
  if (!/^[a-z]{2}(?:-[a-z]+)+-\d$/.test(settings.region)) {
    violations.add("aws.region", "must be a region such as eu-central-1");
  }
  const problem = settings.endpoint === "" ? undefined : problemOfAddress(settings.endpoint);
  if (problem !== undefined) violations.add("aws.endpoint", problem);
  checkPem("aws.ca_pem", settings.caPem, violations);
  if (settings.accessKeyId !== "") {
    if (!/^\w{16,128}$/.test(settings.accessKeyId)) {
      violations.add("aws.access_key_id", "must be the id of an access key");
    }
  } else if (!limits.awsHostIdentity) {
    violations.add(
      "aws.access_key_id",
      "is required: this server does not lend its own identity (VECTORFLOW_AWS_HOST_IDENTITY)",
    );
  } else if (settings.endpoint !== "") {
    violations.add("aws.endpoint", "must be empty with the server's own identity");
  }
}

function checkExec(
  settings: ExecSettings,
  limits: SecretBackendConfig,
  violations: FieldViolations,
): void {
  if (!Object.hasOwn(limits.commands, settings.command)) {
    violations.add(
      "exec.command",
      "must be one of the names in VECTORFLOW_SECRET_COMMANDS of the server",
    );
  }
  if (settings.backendType.length > 200) {
    violations.add("exec.backend_type", "must have at most 200 characters");
  }
  if (settings.configJson === "") return;
  let isObject = false;
  try {
    const parsed: unknown = JSON.parse(settings.configJson);
    isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  } catch {
    // Said below.
  }
  if (!isObject || settings.configJson.length > 10_000) {
    violations.add("exec.config_json", "must be an object in JSON of at most 10000 characters");
  }
}

function checkPem(field: string, pem: string, violations: FieldViolations): void {
  if (pem === "") return;
  try {
    if (pem.length > 262_144) throw new RangeError("too long");
    if (pem.includes("PRIVATE KEY")) throw new TypeError("a key");
    void new X509Certificate(pem);
  } catch {
    violations.add(field, "must be certificates in PEM");
  }
}

/** Segments with something in them that no server takes for another place. */
function isPath(path: string): boolean {
  return (
    path.length <= 500 &&
    path.split("/").every((part) => !["", ".", ".."].includes(part)) &&
    !/[\p{Cc}\\]/u.test(path)
  );
}

/** A reference as it is kept. Adds a violation when the backend cannot have it, or the environment may not. */
export function checkReference(
  reference: SecretReference,
  settings: ExternalSettings,
  violations: FieldViolations,
): SecretReference {
  const { key, version } = reference;
  const isVault = settings.kind === "VAULT";
  const path = isVault ? reference.path.replaceAll(/^\/+|\/+$/g, "") : reference.path;
  const problem = problemOfPath(path, settings);
  if (problem !== undefined) violations.add("reference.path", problem);
  if (key.length > 500) violations.add("reference.key", "must have at most 500 characters");
  if (isVault && key === "") {
    violations.add("reference.key", "is required: Vault keeps several at a path");
  }
  if (isVault && version !== "" && !/^[1-9]\d{0,8}$/.test(version)) {
    violations.add("reference.version", "must be a version's number, or empty for the newest");
  }
  if (settings.kind === "AWS_SM" && !/^[\w/+=.@:!-]{0,256}$/.test(version)) {
    violations.add("reference.version", "must be a version's id or stage, or empty for the newest");
  }
  if (settings.kind === "EXEC") {
    if (key !== "") violations.add("reference.key", "must be empty: a command gives whole values");
    if (version !== "") violations.add("reference.version", "must be empty");
  }
  return { path, key, version };
}

function problemOfPath(path: string, { kind, pathPrefix }: ExternalSettings): string | undefined {
  if (path === "") return "is required";
  if (kind === "VAULT" && !isPath(path)) return "must be a path without . and .. in it";
  if (kind === "AWS_SM" && !/^[\w/+=.@:!-]{1,512}$/.test(path)) {
    return "must be the name or the ARN of a secret";
  }
  if (kind === "EXEC" && (path.length > 500 || /\p{Cc}/u.test(path))) {
    return "must be a name of at most 500 characters";
  }
  // In Vault a prefix is whole folders, so that `app` does not open `app-of-others`.
  const folder =
    kind === "VAULT" && pathPrefix !== "" ? pathPrefix.replace(/\/*$/, "/") : pathPrefix;
  return path.startsWith(folder) ? undefined : `must start with ${folder} in this environment`;
}
