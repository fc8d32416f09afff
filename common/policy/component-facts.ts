/** What a component does with the network. Files are judged by option, programs by type. */
export type NetworkUse = "local" | "listens" | "connects";

export type ComponentKind = "source" | "transform" | "sink" | "enrichment_table" | "secret";

export const componentKinds = [
  "source",
  "transform",
  "sink",
  "enrichment_table",
  "secret",
] as const satisfies readonly ComponentKind[];

const names = (text: string): readonly string[] => text.trim().split(/\s+/);

/**
 * Every component type that this release knows, by what it does. A test holds it against the catalogue. A type
 * that is not here cannot be judged, and is refused where a policy limits anything.
 */
const types: Readonly<Record<ComponentKind, Partial<Record<NetworkUse, readonly string[]>>>> = {
  source: {
    local: names(`
    demo_logs exec file file_descriptor host_metrics internal_logs internal_metrics journald
    static_metrics stdin windows_event_log
    `),
    listens: names(`
    aws_kinesis_firehose datadog_agent dnstap fluent heroku_logs http http_server logstash
    opentelemetry prometheus_pushgateway prometheus_remote_write socket splunk_hec statsd
    syslog vector
    `),
    connects: names(`
    amqp apache_metrics aws_ecs_metrics aws_s3 aws_sqs docker_logs eventstoredb_metrics
    gcp_pubsub http_client kafka kubernetes_logs mongodb_metrics mqtt nats nginx_metrics
    okta postgresql_metrics prometheus_scrape pulsar redis websocket
    `),
  },
  transform: {
    local: names(`
    aggregate dedupe delay exclusive_route filter incremental_to_absolute log_to_metric lua
    metric_to_log reduce remap route sample tag_cardinality_limit throttle trace_to_log
    window
    `),
    connects: ["aws_ec2_metadata"],
  },
  sink: {
    local: ["blackhole", "console", "file"],
    listens: ["prometheus_exporter", "websocket_server"],
    connects: names(`
    amqp appsignal aws_cloudwatch_logs aws_cloudwatch_metrics aws_kinesis_firehose
    aws_kinesis_streams aws_s3 aws_sns aws_sqs axiom azure_blob azure_logs_ingestion
    clickhouse databend databricks_zerobus datadog_events datadog_logs datadog_metrics
    datadog_traces doris elasticsearch gcp_chronicle_unstructured gcp_cloud_storage
    gcp_pubsub gcp_stackdriver_logs gcp_stackdriver_metrics greptimedb greptimedb_logs
    greptimedb_metrics honeycomb http humio_logs humio_metrics influxdb_logs
    influxdb_metrics kafka keep loki mezmo mqtt nats new_relic opentelemetry papertrail
    postgres prometheus_remote_write pulsar redis sematext_logs sematext_metrics socket
    splunk_hec_logs splunk_hec_metrics statsd vector webhdfs websocket
    `),
  },
  enrichment_table: { local: ["file", "geoip", "memory", "mmdb"] },
  secret: { local: ["directory", "exec", "file"], connects: ["aws_secrets_manager"] },
};

const byName = new Map<string, NetworkUse>(
  componentKinds.flatMap((kind) =>
    Object.entries(types[kind]).flatMap(([use, list]) =>
      list.map((type): [string, NetworkUse] => [`${kind}/${type}`, use as NetworkUse]),
    ),
  ),
);

/** What a type does with the network; undefined for one that this release does not know. */
export function networkUse(kind: ComponentKind, type: string): NetworkUse | undefined {
  return byName.get(`${kind}/${type}`);
}

/** Whether any kind has a type of this name. */
export function isKnownType(kind: ComponentKind | undefined, type: string): boolean {
  return kind === undefined
    ? componentKinds.some((each) => byName.has(`${each}/${type}`))
    : byName.has(`${kind}/${type}`);
}

/** Two names of one source: a rule about one is a rule about both. */
const otherNames = new Map([
  ["source/http", "source/http_server"],
  ["source/http_server", "source/http"],
]);

/** `kind/type` by every name that Vector takes for it. */
export function namesOf(kind: ComponentKind, type: string): readonly string[] {
  const name = `${kind}/${type}`;
  const other = otherNames.get(name);
  return other === undefined ? [name] : [name, other];
}

/** Types that run code which comes with the configuration. */
export const programTypes: ReadonlySet<string> = new Set([
  "source/exec",
  "transform/lua",
  "secret/exec",
]);

/** Where a listener listens when its configuration does not say. */
export const defaultListen: ReadonlyMap<string, string> = new Map([
  ["source/splunk_hec", "0.0.0.0:8088"],
  ["sink/prometheus_exporter", "0.0.0.0:9598"],
]);

/** Where a component connects to on this host when its configuration does not say. */
export const defaultSocket: ReadonlyMap<string, string> = new Map([
  ["source/docker_logs", "/var/run/docker.sock"],
]);

/** What a component reads without being told where, with the option that says otherwise. */
export const impliedReads: ReadonlyMap<string, { readonly path: string; readonly unless: string }> =
  new Map([
    ["source/journald", { path: "/var/log/journal", unless: "journal_directory" }],
    ["source/kubernetes_logs", { path: "/var/log/pods", unless: "" }],
  ]);
