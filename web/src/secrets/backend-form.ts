import type { MessageInitShape } from "@bufbuild/protobuf";

import {
  SecretBackend,
  SecretBackendSettingsSchema,
  VaultAuth,
  type SecretBackendSettings,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";

/** The fields of all backends: switching between them loses nothing that was typed. */
export interface BackendValues extends Record<string, string> {
  backend: string;
  refreshSeconds: string;
  pathPrefix: string;
  address: string;
  namespace: string;
  mount: string;
  caPem: string;
  vaultAuth: string;
  authMount: string;
  role: string;
  region: string;
  endpoint: string;
  accessKeyId: string;
  command: string;
  backendType: string;
  configJson: string;
  credential: string;
}

export const emptySettings: BackendValues = {
  backend: String(SecretBackend.BUILTIN),
  refreshSeconds: "300",
  pathPrefix: "",
  address: "",
  namespace: "",
  mount: "",
  caPem: "",
  vaultAuth: String(VaultAuth.TOKEN),
  authMount: "",
  role: "",
  region: "",
  endpoint: "",
  accessKeyId: "",
  command: "",
  backendType: "",
  configJson: "",
  credential: "",
};

/** Fields of the request by field of the form, as violations name them. */
export const wireNames: Partial<Record<keyof BackendValues, string>> = {
  refreshSeconds: "refresh_seconds",
  pathPrefix: "path_prefix",
  address: "vault.address",
  namespace: "vault.namespace",
  mount: "vault.mount",
  caPem: "vault.ca_pem",
  vaultAuth: "vault.auth",
  authMount: "vault.auth_mount",
  role: "vault.role",
  region: "aws.region",
  endpoint: "aws.endpoint",
  accessKeyId: "aws.access_key_id",
  command: "exec.command",
  backendType: "exec.backend_type",
  configJson: "exec.config_json",
  credential: "credential",
};

export function valuesOf(settings: SecretBackendSettings): BackendValues {
  const { backend, refreshSeconds, pathPrefix, vault, aws, exec } = settings;
  return {
    ...emptySettings,
    backend: String(backend),
    refreshSeconds: String(refreshSeconds || 300),
    pathPrefix,
    ...(vault && {
      address: vault.address,
      namespace: vault.namespace,
      mount: vault.mount,
      caPem: vault.caPem,
      vaultAuth: String(vault.auth),
      authMount: vault.authMount,
      role: vault.role,
    }),
    ...(aws && {
      region: aws.region,
      endpoint: aws.endpoint,
      caPem: aws.caPem,
      accessKeyId: aws.accessKeyId,
    }),
    ...(exec && {
      command: exec.command,
      backendType: exec.backendType,
      configJson: exec.configJson,
    }),
  };
}

/** What the fields say, of the chosen backend only. */
export function settingsOf(
  values: BackendValues,
): Exclude<MessageInitShape<typeof SecretBackendSettingsSchema>, SecretBackendSettings> {
  const backend = Number(values.backend) as SecretBackend;
  const seconds = Number(values.refreshSeconds);
  const common = {
    backend,
    // What is no number is refused by the server, which says what it may be.
    refreshSeconds: Number.isInteger(seconds) && seconds > 0 ? Math.min(seconds, 1e6) : 1,
    pathPrefix: values.pathPrefix,
  };
  switch (backend) {
    case SecretBackend.VAULT: {
      const { address, namespace, mount, caPem, authMount, role } = values;
      const auth = Number(values.vaultAuth) as VaultAuth;
      // The mount of another sign-in is none of this one's.
      const own = auth === VaultAuth.TOKEN ? { authMount: "", role: "" } : { authMount, role };
      return { ...common, vault: { address, namespace, mount, caPem, auth, ...own } };
    }
    case SecretBackend.AWS_SM: {
      const { region, endpoint, caPem, accessKeyId } = values;
      return { ...common, aws: { region, endpoint, caPem, accessKeyId } };
    }
    case SecretBackend.EXEC: {
      const { command, backendType, configJson } = values;
      return { ...common, exec: { command, backendType, configJson } };
    }
    default:
      return { backend };
  }
}
