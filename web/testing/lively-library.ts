import { create } from "@bufbuild/protobuf";

import {
  SecretBackend,
  SecretBackendFailure,
  SecretBackendHealthSchema,
  SecretBackendSettingsSchema,
  SecretReferenceSchema,
  VaultAuth,
} from "#gen/vectorflow/v1/secret_backend_pb.ts";
import { SecretSchema } from "#gen/vectorflow/v1/secret_pb.ts";
import { SnippetSchema } from "#gen/vectorflow/v1/snippet_pb.ts";
import { TemplateParameterType, TemplateSchema } from "#gen/vectorflow/v1/template_pb.ts";
import { VariableSchema } from "#gen/vectorflow/v1/variable_pb.ts";
import {
  MissingVariableSchema,
  VariableEffectSchema,
} from "#gen/vectorflow/v1/variable_service_pb.ts";

import { toTimestamp } from "../src/lib/time.ts";
import { demoYaml } from "../src/pipelines/templates.ts";
import type { FakeWorld } from "../src/testing/fake-world.ts";

const hourMs = 3_600_000;
const use = { pipelineId: "pipe-1", pipelineName: "auth-logs", draft: true, deployed: true };

/** Secrets in a Vault that fails, variables, templates and snippets. */
export function addLibrary(world: FakeWorld): void {
  const ago = (hours: number) => toTimestamp(Date.now() - hours * hourMs);
  const { secrets, variables, templates } = world;
  secrets.settings = create(SecretBackendSettingsSchema, {
    backend: SecretBackend.VAULT,
    refreshSeconds: 300,
    pathPrefix: "apps",
    vault: { address: "https://vault.example.com:8200", mount: "secret", auth: VaultAuth.APPROLE },
  });
  secrets.health = create(SecretBackendHealthSchema, {
    backend: SecretBackend.VAULT,
    failure: SecretBackendFailure.UNAVAILABLE,
    checkTime: ago(0),
    failingSinceTime: ago(2),
  });
  for (const secret of [
    {
      name: "es_password",
      key: "password",
      readTime: ago(2),
      failure: SecretBackendFailure.UNSPECIFIED,
      uses: [use],
    },
    { name: "ingest_token", key: "token", readTime: ago(30), failure: SecretBackendFailure.PATH },
    { name: "new_one", key: "key", failure: SecretBackendFailure.UNAVAILABLE },
  ]) {
    const { key, ...own } = secret;
    const reference = create(SecretReferenceSchema, { path: "apps/web", key });
    const made = create(SecretSchema, { id: own.name, updateTime: ago(90), reference, ...own });
    secrets.secrets.set(own.name, made);
  }
  variables.missing = [create(MissingVariableSchema, { name: "region", uses: [use] })];
  variables.effects = [
    create(VariableEffectSchema, { name: "auth-logs", componentKeys: ["out"], nodeCount: 40 }),
  ];
  for (const [name, value, deployedValue] of [
    ["batch_size", "500", "100"],
    ["log_host", "logs.fra.example.com", "logs.fra.example.com"],
  ] as const) {
    const uses = [{ ...use, deployedValue }];
    variables.variables.set(name, create(VariableSchema, { id: name, name, value, uses }));
  }
  for (const [name, category, description, componentTypes] of [
    [
      "Files to Elasticsearch",
      "Search",
      "Reads log files and indexes them by day.",
      ["file", "remap", "elasticsearch"],
    ],
    ["Syslog to Loki", "Search", "Listens for syslog and keeps it in Loki.", ["syslog", "loki"]],
    ["Host metrics to Prometheus", "Metrics", "Measures hosts.", ["host_metrics", "remap"]],
    ["Our intake", "Collect", "As we take events in.", ["http_server", "kafka"]],
  ] as const) {
    templates.templates.set(
      name,
      create(TemplateSchema, {
        id: name,
        name,
        category,
        description,
        componentTypes: [...componentTypes],
        builtIn: name !== "Our intake",
        yaml: demoYaml.replace("0.5", "PARAM[interval]"),
        parameters: [
          {
            name: "interval",
            description: "Seconds between two events.",
            type: TemplateParameterType.NUMBER,
            default: "0.5",
            required: true,
          },
        ],
      }),
    );
  }
  for (const [name, category, code] of [
    [
      "JSON in the message",
      "Parse",
      "parsed, err = parse_json(.message)\nif err == null {\n  . = merge(., object!(parsed))\n}",
    ],
    ["Errors only", "Filter", '.level == "error"'],
  ] as const) {
    templates.snippets.set(
      name,
      create(SnippetSchema, {
        id: name,
        name,
        category,
        code,
        description: "Takes the fields of a line up to the event.",
        condition: category === "Filter",
        builtIn: category === "Parse",
        ...(category === "Parse" && { exampleEvent: '{"message": "{}"}', exampleResult: "{}" }),
      }),
    );
  }
}
