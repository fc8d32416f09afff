/** A small pipeline with made-up events, for the first look around. */
export const demoPipeline = {
  name: "Demo",
  description: "Made-up web server logs, parsed and thrown away.",
  yaml: `# Made-up events, so that there is something to see. Change it, and deploy.
sources:
  web_server:
    type: demo_logs
    format: json
    interval: 0.05

transforms:
  parse:
    type: remap
    inputs: [web_server]
    source: |
      . = parse_json!(string!(.message))
      .host = downcase(string(.host) ?? "unknown")

  keep:
    type: filter
    inputs: [parse]
    # Drop half of the events: to_int!(.bytes) >= 25000
    condition: "true"

sinks:
  discard:
    type: blackhole
    inputs: [keep]
    print_interval_secs: 0
`,
};
