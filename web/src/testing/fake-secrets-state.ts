import type { Certificate, Secret } from "#gen/vectorflow/v1/secret_pb.ts";
import type { MissingReference } from "#gen/vectorflow/v1/secret_service_pb.ts";
import type { SelectorTerm } from "#gen/vectorflow/v1/delivery_pb.ts";

import { create } from "@bufbuild/protobuf";

import {
  SecretBackend,
  SecretBackendHealthSchema,
  SecretBackendSettingsSchema,
  type SecretBackendHealth,
  type SecretBackendSettings,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";

/** Secrets, certificates and selectors of the fake world. */
export class FakeSecrets {
  readonly secrets = new Map<string, Secret>();
  readonly values = new Map<string, string>();
  readonly certificates = new Map<string, Certificate>();
  missing: MissingReference[] = [];
  settings: SecretBackendSettings = create(SecretBackendSettingsSchema, {
    backend: SecretBackend.BUILTIN,
  });
  health: SecretBackendHealth = create(SecretBackendHealthSchema, {
    backend: SecretBackend.BUILTIN,
  });
  credential = "";
  commands: string[] = [];
  /** What the next tests of a backend say; works when there is none. */
  readonly testFailures: string[] = [];
  /** Who looked at which value. */
  readonly revealed: string[] = [];
  readonly selectors = new Map<string, readonly SelectorTerm[]>();
  readonly logLevels = new Map<string, string>();
  /** By pipeline id. */
  readonly limits = new Map<string, { memoryMib: number; cpuCores: number }>();
}
