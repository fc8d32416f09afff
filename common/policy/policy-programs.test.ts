import { judgeCases, preset, source, transform, type PolicyCase } from "../testing/policy-case.ts";

const remap = (program: string) => transform("remap", { source: program });

const programs: readonly PolicyCase[] = [
  ["a denied function", preset, remap('.a = get_env_var!("HOME")'), ["vrl.deny source"]],
  [
    "one with blanks and comments",
    preset,
    remap('.a = get_env_var # (\n ! # x\n ("HOME")'),
    ["vrl.deny source"],
  ],
  [
    "its name in a string",
    preset,
    remap(String.raw`.a = "get_env_var(\" x" + s'get_env_var(' + r'get_env_var\('`),
    [],
  ],
  ["its name in a comment", preset, remap("# get_env_var(x)\n.a = 1"), []],
  ["its name as a field", preset, remap(".get_env_var = .get_env_var\nif .b == 1 { .c = 2 }"), []],
  [
    "it after a string that ends in a backslash",
    preset,
    remap(String.raw`.a = "\\"; .b = dns_lookup("x")`),
    ["vrl.deny source"],
  ],
  ["a longer name", preset, remap("get_env_variable(x)"), []],
  [
    "a condition as text",
    preset,
    transform("filter", { condition: 'get_env_var!("A") == "b"' }),
    ["vrl.deny condition"],
  ],
  [
    "a condition as a map",
    preset,
    transform("filter", { condition: { type: "vrl", source: 'http_request!("http://a")' } }),
    ["vrl.deny condition.source"],
  ],
  [
    "a route",
    preset,
    transform("route", { route: { a: "exists(.a)", b: 'dns_lookup!("a") == ""' } }),
    ["vrl.deny route.b"],
  ],
  [
    "a route in a list",
    preset,
    transform("exclusive_route", {
      routes: [{ name: "a", condition: 'reverse_dns!("1.1.1.1") == ""' }],
    }),
    ["vrl.deny routes.0.condition"],
  ],
  [
    "a window",
    preset,
    transform("window", { flush_when: 'get_env_var!("A") == ""' }),
    ["vrl.deny flush_when"],
  ],
  [
    "a decoder",
    preset,
    source("stdin", { decoding: { codec: "vrl", vrl: { source: 'get_env_var!("A")' } } }),
    ["vrl.deny decoding.vrl.source"],
  ],
  [
    "who may send",
    preset,
    source("http_server", {
      address: "127.0.0.1:1",
      auth: { strategy: "custom", source: 'get_env_var!("A") == ""' },
    }),
    ["vrl.deny auth.source"],
  ],
  [
    "a value of a query",
    { vrl: { deny: ["get_env_var"] } },
    source("http_client", {
      endpoint: "http://a",
      query: { q: { type: "vrl", value: 'get_env_var!("A")' } },
    }),
    ["vrl.deny query.q"],
  ],
  [
    "files that a program reads",
    { files: { read: ["/srv"] } },
    remap('parse_proto!(.a, "/etc/x", "b")'),
    ["vrl.deny source"],
  ],
  [
    "those, allowed",
    { files: { read: ["/srv"] }, vrl: { allow: ["parse_proto"] } },
    remap('parse_proto!(.a, "/etc/x", "b")'),
    [],
  ],
  [
    "requests that a program makes",
    { destinations: { allow: [] } },
    remap('http_request!("https://evil.test")'),
    ["vrl.deny source"],
  ],
  [
    "a variable with a default",
    preset,
    remap('${X:-get_env_var("A")}'),
    ["vrl.deny source", "vrl.deny source"],
  ],
];

judgeCases("programs", programs);
