/** A pipeline that shows something within seconds, on any host. */
export const demoYaml = `# Made-up web server logs, parsed and filtered; errors are printed, the rest is dropped.
sources:
  demo_logs:
    type: demo_logs
    format: json
    interval: 0.5

transforms:
  parse:
    type: remap
    inputs:
      - demo_logs
    source: |
      . = parse_json!(string!(.message))
      .environment = "demo"

  errors_only:
    type: filter
    inputs:
      - parse
    condition: (to_int(.status) ?? 0) >= 400

sinks:
  print:
    type: console
    inputs:
      - errors_only
    encoding:
      codec: json

  drop:
    type: blackhole
    inputs:
      - parse
`;

/** The least that is a pipeline. */
export const blankYaml = `sources: {}

transforms: {}

sinks: {}
`;
