import type { TemplateParameter } from "./template.entity.ts";

/** A template that ships with the product. */
export interface BuiltInTemplate {
  /** Never changes, so that programs can name it. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly parameters: readonly TemplateParameter[];
  readonly yaml: string;
}

function parameter(
  name: string,
  type: TemplateParameter["type"],
  description: string,
  fallback: string,
): TemplateParameter {
  return { name, type, description, default: fallback, required: fallback === "" };
}

const logFiles = parameter("files", "text", "Which files, as a pattern.", "/var/log/app/*.log");

/** Each of them passes the checker, and Vector's own validation, with nothing but its defaults. */
export const builtInTemplates: readonly BuiltInTemplate[] = [
  {
    id: "builtin-files-to-elasticsearch",
    name: "Files to Elasticsearch",
    description: "Reads log files, parses lines that are JSON, and indexes them by day.",
    category: "Search",
    parameters: [
      logFiles,
      parameter("endpoint", "text", "Address of Elasticsearch.", "https://elasticsearch:9200"),
      parameter("index", "text", "Name of the index, before the day.", "logs"),
      parameter("user", "text", "Who writes.", "vector"),
      parameter("password", "secret", "The secret with their password.", "elasticsearch_password"),
    ],
    yaml: `sources:
  log_files:
    type: file
    include:
      - PARAM[files]

transforms:
  parse_json:
    type: remap
    inputs: [log_files]
    source: |
      # Lines that are no JSON stay as they are, in .message.
      parsed, err = parse_json(.message)
      if err == null && is_object(parsed) {
        . = merge(., object!(parsed))
      }

sinks:
  elasticsearch:
    type: elasticsearch
    inputs: [parse_json]
    endpoints:
      - PARAM[endpoint]
    mode: bulk
    bulk:
      index: PARAM[index]-%Y-%m-%d
    auth:
      strategy: basic
      user: PARAM[user]
      password: PARAM[password]
`,
  },
  {
    id: "builtin-syslog-to-loki",
    name: "Syslog to Loki",
    description: "Listens for syslog of network devices and hosts, and keeps it in Loki.",
    category: "Search",
    parameters: [
      parameter("listen", "text", "Where to listen.", "0.0.0.0:5140"),
      parameter("endpoint", "text", "Address of Loki.", "https://loki:3100"),
      parameter("job", "text", "Value of the label job.", "syslog"),
    ],
    yaml: `sources:
  syslog_udp:
    type: syslog
    mode: udp
    address: PARAM[listen]
  syslog_tcp:
    type: syslog
    mode: tcp
    address: PARAM[listen]

sinks:
  loki:
    type: loki
    inputs: [syslog_udp, syslog_tcp]
    endpoint: PARAM[endpoint]
    encoding:
      codec: json
    labels:
      job: PARAM[job]
      host: "{{ host }}"
      severity: "{{ severity }}"
    # Devices without a clock of their own send times that are wrong.
    out_of_order_action: accept
`,
  },
  {
    id: "builtin-kubernetes-to-s3",
    name: "Kubernetes logs to S3",
    description: "Collects the logs of all pods of a node and archives them by namespace and day.",
    category: "Archive",
    parameters: [
      parameter("bucket", "text", "Name of the bucket.", "log-archive"),
      parameter("region", "text", "Its region.", "eu-central-1"),
      parameter("max_bytes", "number", "Size of a file before compression.", "10000000"),
    ],
    yaml: `sources:
  pods:
    type: kubernetes_logs

transforms:
  slim:
    type: remap
    inputs: [pods]
    source: |
      # Of what Kubernetes knows of a pod, what one searches by.
      .namespace = .kubernetes.pod_namespace
      .pod = .kubernetes.pod_name
      .container = .kubernetes.container_name
      del(.kubernetes)

sinks:
  s3_archive:
    type: aws_s3
    inputs: [slim]
    bucket: PARAM[bucket]
    region: PARAM[region]
    key_prefix: "{{ namespace }}/%Y/%m/%d/"
    compression: gzip
    framing:
      method: newline_delimited
    encoding:
      codec: json
    batch:
      max_bytes: PARAM[max_bytes]
`,
  },
  {
    id: "builtin-host-metrics-to-prometheus",
    name: "Host metrics to Prometheus",
    description: "Measures processors, memory, disks and network, and writes to Prometheus.",
    category: "Metrics",
    parameters: [
      parameter(
        "endpoint",
        "text",
        "Address of remote write.",
        "https://prometheus:9090/api/v1/write",
      ),
      parameter("interval", "number", "Seconds between two measurements.", "15"),
      parameter("site", "text", "Value of the label site.", "default"),
    ],
    yaml: `sources:
  host:
    type: host_metrics
    scrape_interval_secs: PARAM[interval]

transforms:
  site:
    type: remap
    inputs: [host]
    source: .tags.site = "PARAM[site]"

sinks:
  remote_write:
    type: prometheus_remote_write
    inputs: [site]
    endpoint: PARAM[endpoint]
`,
  },
  {
    id: "builtin-http-to-kafka",
    name: "HTTP to Kafka",
    description: "Takes events in JSON from applications by HTTP, with a password, into a topic.",
    category: "Collect",
    parameters: [
      parameter("listen", "text", "Where to listen.", "0.0.0.0:8088"),
      parameter("user", "text", "Who may send.", "app"),
      parameter("password", "secret", "The secret with their password.", "intake_password"),
      parameter("brokers", "text", "Kafka's brokers, with commas.", "kafka:9092"),
      parameter("topic", "text", "Where events go.", "events"),
    ],
    yaml: `sources:
  intake:
    type: http_server
    address: PARAM[listen]
    decoding:
      codec: json
    auth:
      strategy: basic
      username: PARAM[user]
      password: PARAM[password]

sinks:
  kafka:
    type: kafka
    inputs: [intake]
    bootstrap_servers: PARAM[brokers]
    topic: PARAM[topic]
    compression: zstd
    encoding:
      codec: json
`,
  },
  {
    id: "builtin-redact-and-forward",
    name: "Redact and forward",
    description:
      "Removes e-mail addresses, card numbers and tokens from log files, and sends them on by HTTP.",
    category: "Privacy",
    parameters: [
      logFiles,
      parameter("endpoint", "text", "Where events are sent.", "https://logs.example.com/ingest"),
      parameter("token", "secret", "The secret with the bearer token.", "ingest_token"),
      parameter("batch_events", "number", "Events of one request.", "500"),
    ],
    yaml: `sources:
  app_files:
    type: file
    include:
      - PARAM[files]

transforms:
  redact:
    type: remap
    inputs: [app_files]
    source: |
      message = string(.message) ?? ""
      message = redact(message, filters: [
        r'[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\\.[A-Za-z]{2,}',
        r'\\b(?:\\d[ -]?){13,16}\\b',
        r'(?i)bearer [A-Za-z0-9._~+/-]+=*'
      ])
      .message = message

sinks:
  forward:
    type: http
    inputs: [redact]
    uri: PARAM[endpoint]
    method: post
    compression: gzip
    encoding:
      codec: json
    framing:
      method: newline_delimited
    batch:
      max_events: PARAM[batch_events]
    auth:
      strategy: bearer
      token: PARAM[token]
`,
  },
  {
    id: "builtin-split-by-severity",
    name: "Split by severity",
    description:
      "Sends warnings and errors on at once, and samples everything else into local files.",
    category: "Route",
    parameters: [
      parameter("listen", "text", "Where applications send JSON to.", "127.0.0.1:8089"),
      parameter("endpoint", "text", "Where errors are sent.", "https://alerts.example.com/ingest"),
      parameter("folder", "text", "Folder for everything else.", "/var/lib/vector-archive"),
      parameter("sample_rate", "number", "Keep one of this many.", "10"),
    ],
    yaml: `sources:
  apps:
    type: http_server
    address: PARAM[listen]
    decoding:
      codec: json

transforms:
  severity:
    type: route
    inputs: [apps]
    route:
      urgent: includes(["warn", "warning", "error", "fatal", "critical"], downcase(string(.level) ?? "info"))
  sampled:
    type: sample
    inputs: [severity._unmatched]
    rate: PARAM[sample_rate]

sinks:
  urgent_events:
    type: http
    inputs: [severity.urgent]
    uri: PARAM[endpoint]
    encoding:
      codec: json
  archive:
    type: file
    inputs: [sampled]
    path: PARAM[folder]/%Y-%m-%d.log
    encoding:
      codec: json
`,
  },
  {
    id: "builtin-access-log-metrics",
    name: "Metrics of access logs",
    description: "Counts requests of a web server by status, and offers them to Prometheus.",
    category: "Metrics",
    parameters: [
      parameter(
        "files",
        "text",
        "Access logs, in the combined format.",
        "/var/log/nginx/access.log",
      ),
      parameter("listen", "text", "Where Prometheus asks.", "0.0.0.0:9598"),
      parameter("namespace", "text", "First part of the metrics' names.", "web"),
    ],
    yaml: `sources:
  access_log:
    type: file
    include:
      - PARAM[files]

transforms:
  parse_access:
    type: remap
    inputs: [access_log]
    drop_on_error: true
    source: |
      . = parse_nginx_log!(string!(.message), "combined")
      .status = to_string(.status)
  count_requests:
    type: log_to_metric
    inputs: [parse_access]
    metrics:
      - type: counter
        field: status
        name: requests_total
        namespace: PARAM[namespace]
        tags:
          status: "{{ status }}"

sinks:
  exporter:
    type: prometheus_exporter
    inputs: [count_requests]
    address: PARAM[listen]
`,
  },
];
