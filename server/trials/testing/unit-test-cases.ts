/** What the tests run in. */
export const pipeline = `
timezone: America/New_York
sources:
  in: {type: demo_logs, format: json}
transforms:
  parse:
    type: remap
    inputs: [in]
    drop_on_error: true
    reroute_dropped: true
    source: |
      . = parse_json!(.message)
      .seen = true
  errors:
    type: filter
    inputs: [parse]
    condition: .level == "error"
  split:
    type: route
    inputs: [parse]
    route:
      big: to_int!(.size) > 10
      named: {type: vrl, source: exists(.name)}
  first:
    type: exclusive_route
    inputs: [parse]
    routes:
      - {name: big, condition: (to_int(.size) ?? 0) > 10}
      - {name: named, condition: exists(.name)}
  many:
    type: remap
    inputs: [split.big]
    source: '. = [{"n": 1}, {"n": 2}, "text"]'
  merge:
    type: reduce
    inputs: [parse]
    group_by: [name]
  tokyo: {type: remap, inputs: [in], timezone: Asia/Tokyo, source: '.at = parse_timestamp!(.message, "%F %T")'}
  zoned: {type: remap, inputs: [in], source: '.at = parse_timestamp!(.message, "%F %T")'}
  mark:
    type: remap
    inputs: [in]
    source: |
      %x = [1.0, 2]
      set_secret("key", "hidden")
      .half = 10 / 2
      .bytes = decode_base16!("ff61")
  read:
    type: remap
    inputs: [mark]
    source: |
      .y = %x
      .secret = get_secret("key")
      .again = encode_base16(string!(.bytes))
  nest: {type: remap, inputs: [mark], source: '. = [[1, 2], {"a": 1}, "x"]'}
  items: {type: remap, inputs: [in], source: '. = ["x", {"a": 1}, 2.0]'}
  refuse:
    type: remap
    inputs: [in]
    drop_on_error: true
    reroute_dropped: true
    source: |
      if .stop == true { abort "stopped" }
      assert!(.ok == true, "it is not ok")
sinks:
  out:
    type: blackhole
    inputs: [errors, split.*, first.*, many, merge, parse.dropped, tokyo, zoned, read, nest, items, refuse, refuse.dropped]
`;

/** Name, whether it passes, and its definition. */
export type UnitTestCase = readonly [string, boolean, string];

export const cases: readonly UnitTestCase[] = [
  [
    "a program",
    true,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['.seen == true', '.level == "error"']}]`,
  ],
  [
    "a condition that does not hold",
    false,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['.level == "info"']}]`,
  ],
  [
    "a condition that fails",
    false,
    `inputs: [{insert_at: parse, value: '{"level":"error"}'}]
     outputs: [{extract_from: parse, conditions: ['assert!(.level == "info", "no")']}]`,
  ],
  [
    "a chain",
    true,
    `inputs: [{insert_at: parse, value: '{"level":"error","size":11}'}]
     outputs:
       - {extract_from: errors, conditions: [.seen == true]}
       - {extract_from: split.big, conditions: [exists(.size)]}
       - {extract_from: many, conditions: [.n == 2]}
       - {extract_from: many, conditions: ['.message == "text"']}`,
  ],
  [
    "no event where one is expected",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: info}}]
     outputs: [{extract_from: errors, conditions: ['true']}]`,
  ],
  [
    "no outputs, as expected",
    true,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: info}}]
     no_outputs_from: [errors]`,
  ],
  [
    "an output that none is expected from",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     no_outputs_from: [errors]`,
  ],
  [
    "what was dropped, with its reason",
    true,
    `inputs: [{insert_at: parse, value: no json}]
     outputs:
       - extract_from: parse.dropped
         conditions:
           - '.message == "no json"'
           - .metadata.dropped.reason == "error"
           - .metadata.dropped.component_id == "parse"
           - exists(.timestamp)
     no_outputs_from: [parse]`,
  ],
  [
    "routes, and what none takes",
    true,
    `inputs:
       - {insert_at: split, type: log, log_fields: {size: 11, name: a}}
       - {insert_at: split, type: log, log_fields: {size: 1}}
     outputs:
       - {extract_from: split.big, conditions: ['.name == "a"']}
       - {extract_from: split.named, conditions: [.size == 11]}
       - {extract_from: split._unmatched, conditions: [.size == 1]}`,
  ],
  [
    "a route whose condition fails",
    true,
    `inputs: [{insert_at: split, type: log, log_fields: {size: many}}]
     outputs: [{extract_from: split._unmatched, conditions: ['.size == "many"']}]
     no_outputs_from: [split.big]`,
  ],
  [
    "the first of exclusive routes",
    true,
    `inputs:
       - {insert_at: first, type: log, log_fields: {size: 11, name: a}}
       - {insert_at: first, type: log, log_fields: {name: b}}
       - {insert_at: first, type: log, log_fields: {other: true}}
     outputs:
       - {extract_from: first.big, conditions: ['.name == "a"']}
       - {extract_from: first.named, conditions: ['.name == "b"']}
       - {extract_from: first._unmatched, conditions: [.other == true]}`,
  ],
  [
    "nested and quoted fields, and of each type",
    true,
    `inputs:
       - insert_at: errors
         type: log
         log_fields: {level: error, a.b: 1, '"odd key".c': x, 'list[1]': 2.5, flag: false}
     outputs:
       - extract_from: errors
         conditions: ['.a.b == 1', '."odd key".c == "x"', '.list == [null, 2.5]', '.flag == false', '.message == ""']`,
  ],
  [
    "an event by a program, without a message",
    true,
    `inputs: [{insert_at: errors, type: vrl, source: '. = {"level": "error"}'}]
     outputs: [{extract_from: errors, conditions: ['!exists(.message)', '!exists(.timestamp)']}]`,
  ],
  [
    "any of the events may satisfy a condition",
    true,
    `inputs:
       - {insert_at: errors, type: log, log_fields: {level: error, n: 1}}
       - {insert_at: errors, type: log, log_fields: {level: error, n: 2}}
     outputs: [{extract_from: errors, conditions: [.n == 1, .n == 2]}]`,
  ],
  [
    "an old form of input, and a list of outputs",
    true,
    `input: {insert_at: split, type: log, log_fields: {size: 11}}
     outputs: [{extract_from: [split.big, split.named], conditions: [.size == 11]}]`,
  ],
  [
    "as many events as expected",
    true,
    `inputs: [{insert_at: many, type: log, log_fields: {size: 11}}]
     outputs: [{extract_from: many, expected_event_count: 3}]`,
  ],
  [
    "another number of events than expected",
    false,
    `inputs: [{insert_at: many, type: log, log_fields: {size: 11}}]
     outputs: [{extract_from: many, expected_event_count: 2, conditions: ['true']}]`,
  ],
  [
    "is_log",
    true,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     outputs: [{extract_from: errors, conditions: [{type: is_log}]}]`,
  ],
  [
    "is_metric",
    false,
    `inputs: [{insert_at: errors, type: log, log_fields: {level: error}}]
     outputs: [{extract_from: errors, conditions: [{type: is_metric}]}]`,
  ],
  [
    "floats without a fraction, of a program and of an event",
    true,
    `inputs: [{insert_at: mark, type: log, log_fields: {n: 1.0, list: [1.0, 1], big: 1e20}}]
     outputs:
       - extract_from: mark
         conditions: [is_float(.half), is_float(.n), 'float!(.n) == 1.0', 'is_float(.list[0]) && is_integer(.list[1])', is_float(.big)]`,
  ],
  [
    "an integer is no float",
    false,
    `inputs: [{insert_at: mark, type: log, log_fields: {n: 1}}]
     outputs: [{extract_from: mark, conditions: [is_float(.n)]}]`,
  ],
  [
    "integers that a double does not hold, and numbers as Vector reads them in YAML",
    true,
    `inputs: [{insert_at: mark, type: log, log_fields: {n: 9007199254740993, text: 0123, binary: 0b11}}]
     outputs:
       - extract_from: mark
         conditions: [.n == 9007199254740993, '.text == "0123"', .binary == 3]`,
  ],
  [
    "fields that are named like forms of values",
    true,
    `inputs: [{insert_at: mark, type: log, log_fields: {a: {$date: "2026-01-01T00:00:00Z"}, b: {$object: {$float: "1"}}}}]
     outputs:
       - extract_from: mark
         conditions: ['is_string(.a."$date")', '.b."$object"."$float" == "1"']`,
  ],
  [
    "bytes that are no text, and metadata and secrets of one transform in the next",
    true,
    `inputs: [{insert_at: mark, value: a}]
     outputs:
       - extract_from: read
         conditions: ['.again == "ff61"', '.y == [1.0, 2]', 'is_float(.y[0])', '%x == .y', '.secret == "hidden"']`,
  ],
  [
    "metadata of an input",
    true,
    `inputs:
       - {insert_at: errors, type: vrl, source: '.level = "error"; %b = 2.0'}
       - {insert_at: errors, type: log, log_fields: {level: error, "%a.c": 1}}
     outputs: [{extract_from: errors, conditions: ['%b == 2.0', '%a.c == 1']}]`,
  ],
  [
    "metadata that an input is given as a whole",
    true,
    `inputs: [{insert_at: errors, type: vrl, source: '% = "Metadata"; . = {"level": "error"}'}]
     outputs: [{extract_from: errors, conditions: ['% == "Metadata"']}]`,
  ],
  [
    "a time zone of its own",
    true,
    `inputs: [{insert_at: tokyo, value: "2026-01-02 00:00:00"}]
     outputs: [{extract_from: tokyo, conditions: ["to_unix_timestamp(timestamp!(.at)) == 1767279600"]}]`,
  ],
  [
    "the time zone of all",
    true,
    `inputs: [{insert_at: zoned, value: "2026-01-02 00:00:00"}]
     outputs: [{extract_from: zoned, conditions: ["to_unix_timestamp(timestamp!(.at)) == 1767330000"]}]`,
  ],
  [
    "arrays become events by one level",
    true,
    `inputs: [{insert_at: nest, value: a}]
     outputs:
       - {extract_from: nest, expected_event_count: 3, conditions: ['.message == [1, 2]', .a == 1, '.message == "x"']}`,
  ],
  [
    "events of Vector's own namespace need no message",
    true,
    `inputs: [{insert_at: items, type: vrl, source: "%vector = {}"}]
     outputs:
       - {extract_from: items, expected_event_count: 3, conditions: ['. == "x"', .a == 1, '. == 2.0']}`,
  ],
  [
    "what was dropped, in the program's own words",
    true,
    `inputs:
       - {insert_at: refuse, value: a}
       - {insert_at: refuse, type: log, log_fields: {stop: true}}
       - {insert_at: refuse, type: vrl, source: '%vector = {}; . = {"own": true}'}
     outputs:
       - extract_from: refuse.dropped
         expected_event_count: 3
         conditions:
           - .metadata.dropped.message == "it is not ok"
           - .metadata.dropped == {"reason":"abort","message":"stopped","component_id":"refuse","component_type":"remap","component_kind":"transform"}
           - .own == true && !exists(.metadata) && %vector.dropped.reason == "error"`,
  ],
];
