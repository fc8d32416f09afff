import type { BuiltInSnippet } from "../built-in-snippets.ts";

/** Programs that take events apart. */
export const parseSnippets: readonly BuiltInSnippet[] = [
  {
    id: "builtin-json-message",
    name: "JSON in the message",
    description:
      "Takes the fields of a line in JSON up to the event. Lines that are no JSON stay as they are.",
    category: "Parse",
    condition: false,
    code: `parsed, err = parse_json(.message)
if err == null && is_object(parsed) {
  . = merge(., object!(parsed))
  del(.message)
}`,
    example: {
      event: { message: '{"level":"info","user":"anna"}', host: "web-1" },
      result: { host: "web-1", level: "info", user: "anna" },
    },
  },
  {
    id: "builtin-key-value-pairs",
    name: "Pairs of keys and values",
    description: 'Reads pairs such as a=1 b="two words" into fields.',
    category: "Parse",
    condition: false,
    code: `. = merge(., parse_key_value!(string!(.message)))
del(.message)`,
    example: {
      event: { message: 'at=info method=GET path="/a b" status=200', app: "router" },
      result: { app: "router", at: "info", method: "GET", path: "/a b", status: "200" },
    },
  },
  {
    id: "builtin-logfmt-line",
    name: "A line of logfmt",
    description: "Reads logfmt, in which a key without a value is true.",
    category: "Parse",
    condition: false,
    code: `. = merge(., parse_logfmt!(string!(.message)))`,
    example: {
      event: { message: 'level=warn msg="disk is full" retry' },
      result: {
        level: "warn",
        message: 'level=warn msg="disk is full" retry',
        msg: "disk is full",
        retry: true,
      },
    },
  },
  {
    id: "builtin-syslog-line",
    name: "A line of syslog",
    description: "Reads a line of either syslog format and keeps facility, severity and text.",
    category: "Parse",
    condition: false,
    code: `parsed = parse_syslog!(string!(.message))
.severity = parsed.severity
.facility = parsed.facility
.app = parsed.appname
.message = parsed.message`,
    example: {
      event: { message: "<165>1 2026-01-02T03:04:05Z web-1 billing 8710 ID47 - started" },
      result: { app: "billing", facility: "local4", message: "started", severity: "notice" },
    },
  },
  {
    id: "builtin-nginx-access-log",
    name: "An access log of nginx",
    description: "Reads the combined format of nginx and drops the raw line.",
    category: "Parse",
    condition: false,
    code: `. = merge(., parse_nginx_log!(string!(.message), "combined"))
del(.message)
.timestamp = to_string(.timestamp)`,
    example: {
      event: {
        message:
          '192.0.2.7 - anna [02/Jan/2026:03:04:05 +0000] "GET /a HTTP/1.1" 200 612 "-" "curl/8.5.0"',
      },
      result: {
        agent: "curl/8.5.0",
        client: "192.0.2.7",
        referer: "-",
        request: "GET /a HTTP/1.1",
        size: 612,
        status: 200,
        timestamp: "2026-01-02T03:04:05Z",
        user: "anna",
      },
    },
  },
  {
    id: "builtin-apache-common-log",
    name: "An access log of Apache",
    description: "Reads the common format of Apache's web server.",
    category: "Parse",
    condition: false,
    code: `parsed = parse_apache_log!(string!(.message), "common")
.client = parsed.host
.method = parsed.method
.path = parsed.path
.status = parsed.status
.size_bytes = parsed.size
del(.message)`,
    example: {
      event: {
        message: '192.0.2.7 - - [02/Jan/2026:03:04:05 +0000] "POST /login HTTP/1.1" 401 12',
      },
      result: { client: "192.0.2.7", method: "POST", path: "/login", size_bytes: 12, status: 401 },
    },
  },
  {
    id: "builtin-csv-columns",
    name: "Columns of CSV",
    description: "Gives the columns of a line in CSV their names.",
    category: "Parse",
    condition: false,
    code: `columns = parse_csv!(string!(.message))
.id = columns[0]
.name = columns[1]
.city = columns[2]
del(.message)`,
    example: {
      event: { message: '7,"Berg, Anna",Frankfurt' },
      result: { city: "Frankfurt", id: "7", name: "Berg, Anna" },
    },
  },
  {
    id: "builtin-named-groups",
    name: "Named groups of a pattern",
    description:
      "Takes what the named groups of a regular expression match, and leaves other lines alone.",
    category: "Parse",
    condition: false,
    code: String.raw`parsed, err = parse_regex(.message, r'^(?P<level>[A-Z]+) \[(?P<thread>[^\]]+)\] (?P<text>.*)$')
if err == null {
  . = merge(., parsed)
}`,
    example: {
      event: { message: "ERROR [main] cannot connect" },
      result: {
        level: "ERROR",
        message: "ERROR [main] cannot connect",
        text: "cannot connect",
        thread: "main",
      },
    },
  },
  {
    id: "builtin-url-parts",
    name: "Parts of an address",
    description: "Splits an address into host, path and query.",
    category: "Parse",
    condition: false,
    code: `url = parse_url!(string!(.url))
.host = url.host
.path = url.path
.query = url.query`,
    example: {
      event: { url: "https://shop.example.com/cart?item=7&lang=de" },
      result: {
        host: "shop.example.com",
        path: "/cart",
        query: { item: "7", lang: "de" },
        url: "https://shop.example.com/cart?item=7&lang=de",
      },
    },
  },
  {
    id: "builtin-query-string",
    name: "A query string",
    description: "Reads the query of a request into a map.",
    category: "Parse",
    condition: false,
    code: `.query = parse_query_string(string!(.query))`,
    example: {
      event: { query: "item=7&lang=de&lang=en" },
      result: { query: { item: "7", lang: ["de", "en"] } },
    },
  },
  {
    id: "builtin-user-agent",
    name: "A user agent",
    description: "Says which browser, system and kind of device a request came from.",
    category: "Parse",
    condition: false,
    code: `agent = parse_user_agent(string!(.user_agent))
.browser = agent.browser.family
.os = agent.os.family
.device = agent.device.category`,
    example: {
      event: {
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      },
      result: {
        browser: "Firefox",
        device: "pc",
        os: "Linux",
        user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
      },
    },
  },
  {
    id: "builtin-kubernetes-klog",
    name: "A line of Kubernetes' own logs",
    description: "Reads the header of klog: level, file, line and text.",
    category: "Parse",
    condition: false,
    code: `parsed = parse_klog!(string!(.message))
.level = parsed.level
.file = parsed.file
.line = parsed.line
.message = parsed.message`,
    example: {
      event: { message: "E0102 03:04:05.678901   17 server.go:42] cannot bind: in use" },
      result: { file: "server.go", level: "error", line: 42, message: "cannot bind: in use" },
    },
  },
  {
    id: "builtin-xml-document",
    name: "A document in XML",
    description: "Reads XML into nested fields.",
    category: "Parse",
    condition: false,
    code: `.order = parse_xml!(string!(.message)).order
del(.message)`,
    example: {
      event: { message: "<order><id>7</id><item>tea</item></order>" },
      result: { order: { id: 7, item: "tea" } },
    },
  },
  {
    id: "builtin-exception-head",
    name: "The head of a stack trace",
    description: "Keeps the class and the text of an exception beside its whole trace.",
    category: "Parse",
    condition: false,
    code: String.raw`first = split(string!(.message), "\n")[0]
parsed, err = parse_regex(first, r'^(?P<class>[\w.$]+(?:Exception|Error)): (?P<text>.*)$')
if err == null {
  .exception = parsed
}`,
    example: {
      event: { message: "java.io.IOException: no space left\n\tat App.main(App.java:7)" },
      result: {
        exception: { class: "java.io.IOException", text: "no space left" },
        message: "java.io.IOException: no space left\n\tat App.main(App.java:7)",
      },
    },
  },
  {
    id: "builtin-time-of-several-formats",
    name: "Times in several formats",
    description: "Tries one format after the other and keeps the first that fits.",
    category: "Parse",
    condition: false,
    code: `text = string!(.time)
parsed, err = parse_timestamp(text, "%+")
if err != null {
  parsed, err = parse_timestamp(text, "%d/%b/%Y:%T %z")
}
if err == null {
  .timestamp = format_timestamp!(parsed, "%+")
  del(.time)
}`,
    example: {
      event: { time: "02/Jan/2026:03:04:05 +0100" },
      result: { timestamp: "2026-01-02T02:04:05+00:00" },
    },
  },
];
