import type { Message, MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromDate } from "@bufbuild/protobuf/wkt";
import {
  SecretBackend,
  SecretBackendFailure,
  VaultAuth,
  type SecretBackendHealthSchema,
  type SecretBackendSettings,
  type SecretBackendSettingsSchema,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { FieldViolations } from "../../errors.ts";
import { failureKinds, type FailureKind } from "./backend.ts";
import { defaultRefreshSeconds, type BackendSettings, type VaultSettings } from "./settings.ts";
import type { StoredBackend } from "./stored-backend.ts";

type Init<T> = Exclude<T, Message>;

const kinds = {
  BUILTIN: SecretBackend.BUILTIN,
  VAULT: SecretBackend.VAULT,
  AWS_SM: SecretBackend.AWS_SM,
  EXEC: SecretBackend.EXEC,
} satisfies Record<BackendSettings["kind"], SecretBackend>;

const failures = {
  settings: SecretBackendFailure.SETTINGS,
  address: SecretBackendFailure.ADDRESS,
  tls: SecretBackendFailure.TLS,
  sign_in: SecretBackendFailure.SIGN_IN,
  permission: SecretBackendFailure.PERMISSION,
  path: SecretBackendFailure.PATH,
  unavailable: SecretBackendFailure.UNAVAILABLE,
  answer: SecretBackendFailure.ANSWER,
} satisfies Record<FailureKind, SecretBackendFailure>;

const auths = {
  token: VaultAuth.TOKEN,
  approle: VaultAuth.APPROLE,
  kubernetes: VaultAuth.KUBERNETES,
} satisfies Record<VaultSettings["auth"], VaultAuth>;

export function failureToProto(kind: string | null | undefined): SecretBackendFailure {
  const known = failureKinds.find((candidate) => candidate === kind);
  return known === undefined ? SecretBackendFailure.UNSPECIFIED : failures[known];
}

export function healthToProto({
  settings,
  status,
}: StoredBackend): Init<MessageInitShape<typeof SecretBackendHealthSchema>> {
  const time = (text: string) => timestampFromDate(new Date(text));
  return {
    backend: kinds[settings.kind],
    failure: failureToProto(status?.failure),
    ...(status !== null && { checkTime: time(status.checkedAt) }),
    ...(status?.failingSince !== undefined && { failingSinceTime: time(status.failingSince) }),
  };
}

export function settingsToProto(
  settings: BackendSettings,
): Init<MessageInitShape<typeof SecretBackendSettingsSchema>> {
  const backend = kinds[settings.kind];
  if (settings.kind === "BUILTIN") return { backend };
  const { refreshSeconds, pathPrefix } = settings;
  const common = { backend, refreshSeconds, pathPrefix };
  switch (settings.kind) {
    case "VAULT":
      return { ...common, vault: { ...settings, auth: auths[settings.auth] } };
    case "AWS_SM":
      return { ...common, aws: settings };
    case "EXEC":
      return { ...common, exec: settings };
  }
}

/** Throws `invalid` when the message names no backend, or has not the settings of the one it names. */
export function settingsFromProto(message: SecretBackendSettings | undefined): BackendSettings {
  const violations = new FieldViolations();
  const kind = (Object.keys(kinds) as (keyof typeof kinds)[]).find(
    (candidate) => kinds[candidate] === message?.backend,
  );
  if (kind === undefined || message === undefined) {
    violations.add("settings.backend", "is required");
    violations.throwIfAny();
    throw new Error("a violation was not thrown");
  }
  if (kind === "BUILTIN") return { kind };
  const { refreshSeconds, pathPrefix, vault, aws, exec } = message;
  const common = {
    refreshSeconds: refreshSeconds === 0 ? defaultRefreshSeconds : refreshSeconds,
    pathPrefix,
  };
  switch (kind) {
    case "VAULT": {
      const auth = (Object.keys(auths) as (keyof typeof auths)[]).find(
        (candidate) => auths[candidate] === vault?.auth,
      );
      if (auth === undefined) violations.add("vault.auth", "is required");
      violations.throwIfAny();
      const bare = (text: string | undefined): string =>
        (text ?? "").trim().replaceAll(/^\/+|\/+$/g, "");
      return {
        ...common,
        kind,
        address: (vault?.address ?? "").trim(),
        namespace: bare(vault?.namespace),
        mount: bare(vault?.mount) || "secret",
        caPem: (vault?.caPem ?? "").trim(),
        auth: auth ?? "token",
        authMount: bare(vault?.authMount) || (auth ?? "token"),
        role: (vault?.role ?? "").trim(),
      };
    }
    case "AWS_SM":
      return {
        ...common,
        kind,
        region: (aws?.region ?? "").trim(),
        endpoint: (aws?.endpoint ?? "").trim(),
        caPem: (aws?.caPem ?? "").trim(),
        accessKeyId: (aws?.accessKeyId ?? "").trim(),
      };
    case "EXEC":
      return {
        ...common,
        kind,
        command: exec?.command ?? "",
        backendType: exec?.backendType ?? "",
        configJson: exec?.configJson ?? "",
      };
  }
}
