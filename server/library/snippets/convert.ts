import type { BuiltInSnippet } from "../built-in-snippets.ts";

/** Programs that give events another shape. */
export const convertSnippets: readonly BuiltInSnippet[] = [
  {
    id: "builtin-texts-to-numbers",
    name: "Numbers that came as texts",
    description: "Makes numbers of fields that hold them as text; what is none stays.",
    category: "Convert",
    condition: false,
    code: `.status = to_int(.status) ?? .status
.duration_ms = to_float(.duration_ms) ?? .duration_ms`,
    example: {
      event: { status: "200", duration_ms: "12.5" },
      result: { duration_ms: 12.5, status: 200 },
    },
  },
  {
    id: "builtin-duration-to-milliseconds",
    name: "Durations in milliseconds",
    description: "Reads durations such as 1.5s or 20ms.",
    category: "Convert",
    condition: false,
    code: `.duration_ms = parse_duration!(string!(.duration), "ms")
del(.duration)`,
    example: { event: { duration: "1.5s" }, result: { duration_ms: 1500 } },
  },
  {
    id: "builtin-sizes-to-bytes",
    name: "Sizes in bytes",
    description: "Reads sizes such as 1.5MiB.",
    category: "Convert",
    condition: false,
    code: `.size_bytes = parse_bytes!(string!(.size), unit: "B")
del(.size)`,
    example: { event: { size: "1.5MiB" }, result: { size_bytes: 1572864 } },
  },
  {
    id: "builtin-flat-fields",
    name: "Nested fields made flat",
    description: "Gives nested fields one level of names with dots.",
    category: "Convert",
    condition: false,
    code: `. = flatten(.)`,
    example: {
      event: { http: { request: { method: "GET" }, status: 200 } },
      result: { "http.request.method": "GET", "http.status": 200 },
    },
  },
  {
    id: "builtin-nested-fields",
    name: "Names with dots made nested",
    description: "The way back: dots in names become levels.",
    category: "Convert",
    condition: false,
    code: `. = unflatten(.)`,
    example: {
      event: { "http.method": "GET", "http.status": 200 },
      result: { http: { method: "GET", status: 200 } },
    },
  },
  {
    id: "builtin-snake-case-names",
    name: "Names in snake case",
    description: "Gives all fields, nested ones too, names such as user_name.",
    category: "Convert",
    condition: false,
    code: `. = map_keys(., recursive: true) -> |key| { snakecase(key) }`,
    example: {
      event: { userName: "anna", Http: { statusCode: 200 } },
      result: { http: { status_code: 200 }, user_name: "anna" },
    },
  },
  {
    id: "builtin-without-empty-fields",
    name: "Without empty fields",
    description: "Removes what is null or empty, at every level.",
    category: "Convert",
    condition: false,
    code: `. = compact(., recursive: true)`,
    example: { event: { a: 1, b: null, c: "", d: { e: [] } }, result: { a: 1 } },
  },
  {
    id: "builtin-short-messages",
    name: "Messages of limited length",
    description: "Cuts long messages and marks that they were cut.",
    category: "Convert",
    condition: false,
    code: `.message = truncate(string!(.message), 20, suffix: "…")`,
    example: {
      event: { message: "a message that is too long for anybody" },
      result: { message: "a message that is to…" },
    },
  },
  {
    id: "builtin-time-of-epoch",
    name: "Times of seconds",
    description: "Makes a time of seconds since 1970.",
    category: "Convert",
    condition: false,
    code: `.timestamp = format_timestamp!(from_unix_timestamp!(to_int!(.time)), "%+")
del(.time)`,
    example: { event: { time: 1767323045 }, result: { timestamp: "2026-01-02T03:04:05+00:00" } },
  },
  {
    id: "builtin-one-event-for-each-item",
    name: "One event for each item",
    description: "Makes an event of each item of a list, with everything else beside it.",
    category: "Convert",
    condition: false,
    code: `. = unnest!(.items)`,
    example: {
      event: { order: 7, items: [{ name: "tea" }, { name: "cup" }] },
      result: [
        { items: { name: "tea" }, order: 7 },
        { items: { name: "cup" }, order: 7 },
      ],
    },
  },
  {
    id: "builtin-event-as-text",
    name: "The event as one text",
    description: "Keeps a readable copy of the event in JSON, for systems that take text only.",
    category: "Convert",
    condition: false,
    code: `.message = encode_json(.)`,
    example: {
      event: { level: "info", user: "anna" },
      result: { level: "info", message: '{"level":"info","user":"anna"}', user: "anna" },
    },
  },
];
