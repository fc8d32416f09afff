import fc from "fast-check";
import { Document, parseDocument } from "yaml";
import { describe, expect, test } from "vitest";
import { loadCatalogue } from "../catalogue.ts";
import { exportConfig, type ExportFormat } from "./export-config.ts";
import { keyPattern, parsePipelineText } from "../graph.ts";
import { importConfig } from "./import-config.ts";
import { renderConfig } from "../render.ts";
import { wire } from "../wiring.ts";
import { plainValue, settleScalars, valueNode, type PlainValue } from "./yaml-nodes.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function imported(path: string, text: string): string {
  const { yaml, problems } = importConfig([{ path, content: bytes(text) }]);
  if (problems.length > 0) throw new Error(`${JSON.stringify(problems)} in\n${text}`);
  return yaml;
}

/** What a text says to Vector. */
function valueOf(yaml: string): PlainValue {
  const document: Document = parseDocument(yaml, { intAsBigInt: true, merge: true });
  expect(document.errors).toEqual([]);
  settleScalars(document);
  return plainValue(document) ?? new Map();
}

function exported(yaml: string, format: ExportFormat): string {
  const made = exportConfig(yaml, format);
  if (made.kind === "impossible") throw new Error(made.message);
  return made.text;
}

/** Texts that a careless writer of YAML or TOML spoils. */
const awkward = [
  ..."|0123|-07|0b11|-0x1F|0x10|0o17|1e3|1_000|.inf|-.5|true|No|on|null|~|2001-12-14|12:30:45".split(
    "|",
  ),
  ...`- a|a: b|# c|a # c|'|"|''|'''|"""|\\|\\d+\\.\\w|$$|{{ host }}|&a|*a|!t|%d|@x|>|?|:|-|[|{|,`.split(
    "|",
  ),
  ..."a\nb;a\n;\na;a\n\n;  a\n b;a\r\nb; ;\t;trailing ;a\t;---;|;<<;\u0000;\u2028;\u0085;\u007f".split(
    ";",
  ),
  `\${HOME}`,
  "\ufeffa",
  "ä 日本 🙂",
  `. = parse_regex!(.message, r'^(?P<a>\\d+) "x"$')\n.b = "\\\\$$\\t" # kept\n`,
  "x".repeat(300),
];
const text = fc.oneof(fc.constantFrom(...awkward), fc.string({ unit: "grapheme", maxLength: 20 }));
const integer = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const float = fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0));

/** Every value that an option can have; `null` only where the format has it. */
function options(withNull: boolean) {
  return fc.letrec<{ value: PlainValue; map: ReadonlyMap<string, PlainValue> }>((tie) => ({
    value: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      text,
      integer,
      float,
      fc.boolean(),
      ...(withNull ? [fc.constant(null)] : []),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("map"),
    ),
    map: fc
      .uniqueArray(
        fc.tuple(
          text.filter((key) => key !== "<<"),
          tie("value"),
        ),
        {
          selector: ([key]) => key,
          maxLength: 4,
        },
      )
      .map((entries) => new Map(entries)),
  })).map;
}

function configurations(withNull: boolean) {
  const body = options(withNull).map((map) => new Map<string, PlainValue>([["type", "x"], ...map]));
  const section = fc
    .uniqueArray(fc.tuple(fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/), body), {
      selector: ([key]) => key,
      minLength: 1,
      maxLength: 3,
    })
    .map((entries): PlainValue => new Map(entries));
  const globals = fc.tuple(options(withNull), fc.array(options(withNull), { maxLength: 2 }));
  return fc.tuple(section, section, globals).map(
    ([sources, sinks, [schema, tests]]) =>
      new Map<string, PlainValue>([
        ["log_schema", schema],
        ["sources", sources],
        ["sinks", sinks],
        ["tests", tests],
      ]),
  );
}

const written = (value: PlainValue): string => {
  const document = new Document(null);
  document.contents = valueNode(value) as never;
  return document.toString({ lineWidth: 0 });
};

/** Without the order of keys, which no option has a meaning for. */
function sorted(value: PlainValue): unknown {
  if (Array.isArray(value)) return value.map((item: PlainValue) => sorted(item));
  if (!(value instanceof Map)) return value;
  return [...(value as Map<string, PlainValue>)]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, child]) => [key, sorted(child)]);
}

const runs = { numRuns: 60, seed: 58 };

describe("import, export and import again", () => {
  test.each(["yaml", "json", "toml"] as const)("says the same, and settles, by %s", (format) => {
    fc.assert(
      fc.property(configurations(format !== "toml"), (value) => {
        const first = imported("a.yaml", written(value));
        expect(sorted(valueOf(first))).toEqual(sorted(value));
        expect(imported("a.yaml", first)).toBe(first);
        const again = imported(`a.${format}`, exported(first, format));
        expect(sorted(valueOf(again))).toEqual(sorted(value));
        // The way there and back makes no further difference.
        expect(imported(`a.${format}`, exported(again, format))).toBe(again);
      }),
      runs,
    );
  });
});

test("whatever names components have, who reads whom stays, and settles", () => {
  const names = fc.uniqueArray(fc.stringMatching(/^[a-b0_ -]{1,3}$/), {
    minLength: 2,
    maxLength: 6,
  });
  fc.assert(
    fc.property(names, fc.array(fc.nat(), { minLength: 6, maxLength: 6 }), (given, choices) => {
      // Each transform reads one of those before it.
      const body = (index: number): string =>
        index === 0
          ? "{type: stdin}"
          : `{type: filter, condition: 'true', inputs: [${JSON.stringify(given[(choices[index] ?? 0) % index])}]}`;
      const lines = given.map((name, index) => `  ${JSON.stringify(name)}: ${body(index)}\n`);
      const first = imported(
        "a.yaml",
        `sources:\n${lines[0]}transforms:\n${lines.slice(1).join("")}`,
      );
      expect(imported("a.yaml", first)).toBe(first);
      const { graph, problems } = parsePipelineText(first);
      expect(problems).toEqual([]);
      const components = graph?.components ?? [];
      const keys = components.map(({ key }) => key);
      expect(keys.filter((key) => keyPattern.test(key))).toHaveLength(given.length);
      expect(components.slice(1).map(({ inputs: [input = ""] }) => keys.indexOf(input))).toEqual(
        given.slice(1).map((_name, at) => (choices[at + 1] ?? 0) % (at + 1)),
      );
    }),
    { ...runs, numRuns: 200 },
  );
});

/** Scalars as people write them, with what Vector makes of them. */
const scalars: readonly (readonly [string, PlainValue])[] = [
  ["1e3", 1000],
  ["1_000", "1_000"],
  ["0x10", 16n],
  ["0o17", 15n],
  ["0123", "0123"],
  ["0b101", 5n],
  ["+7", 7n],
  ["9223372036854775807", 9223372036854775807n],
  ["1.50", 1.5],
  [".inf", Infinity],
  ["2001-12-14T21:59:43Z", "2001-12-14T21:59:43Z"],
  ["yes", "yes"],
  ["~", null],
  ["True", true],
  ["'it''s'", "it's"],
  ['"a\\tb \\u00e4"', "a\tb ä"],
  ["plain text with: no, trouble".replace(":", ""), "plain text with no, trouble"],
  [
    '|\n      .a = "\\\\d $$"\n\n      # a comment of VRL\n        .b = 1',
    '.a = "\\\\d $$"\n\n# a comment of VRL\n  .b = 1\n',
  ],
  ["|-\n      x", "x"],
  [">\n      folded\n      text", "folded text\n"],
  ["[a, 'b', {c: 1}]", ["a", "b", new Map([["c", 1n]])]],
  ["&anchor {k: v}", new Map([["k", "v"]])],
];
const comment = fc.constantFrom("", "", "  # why", "  # ünïcode: {[");

describe("a text that a person wrote", () => {
  const option = fc.tuple(fc.constantFrom(...scalars), comment, fc.boolean());
  const bodies = fc.array(fc.array(option, { maxLength: 5 }), { minLength: 1, maxLength: 4 });

  test("keeps its comments and layout, says the same when it is rendered, and renders to itself", () => {
    fc.assert(
      fc.property(bodies, fc.boolean(), (components, owned) => {
        const wanted = new Map<string, PlainValue>();
        const lines = [
          "# At the top",
          "timezone: local  # kept",
          ...(owned ? ["data_dir: /x"] : []),
          "sources:",
        ];
        components.forEach((chosen, index) => {
          const body = new Map<string, PlainValue>([["type", "demo_logs"]]);
          lines.push(`  c${index}:  # component ${index}`, `    type: demo_logs`);
          chosen.forEach(([[source, value], behind, above], place) => {
            if (above) lines.push("    # above");
            const [head = "", ...rest] = source.split("\n");
            const anchored = head.replace("&anchor", `&a${index}_${place}`);
            lines.push(`    o${place}: ${anchored}${rest.length > 0 ? "" : behind}`, ...rest);
            body.set(`o${place}`, value);
          });
          wanted.set(`c${index}`, body);
        });
        lines.push("sinks:", "  out: {type: blackhole, inputs: ['*']}  # every one");
        const source = `${lines.join("\n")}\n`;
        const yaml = imported("vector.yaml", source);
        const comments = (of: string): string[] => of.match(/# .*/g) ?? [];
        expect(comments(yaml)).toEqual(comments(source));
        expect(yaml).toContain("inputs: ['*']");
        expect(yaml).not.toContain("data_dir");
        expect(imported("vector.yaml", yaml)).toBe(yaml);
        const value = valueOf(yaml) as Map<string, PlainValue>;
        expect(value.get("sources")).toEqual(wanted);

        const { graph, problems } = parsePipelineText(yaml);
        expect(problems).toEqual([]);
        if (graph === undefined) throw new Error("no graph");
        const rendered = renderConfig(graph, wire(graph, loadCatalogue()));
        const hosts = valueOf(rendered) as Map<string, PlainValue>;
        expect(hosts.get("sources")).toEqual(wanted);
        expect(hosts.get("timezone")).toBe("local");
        const again = parsePipelineText(rendered).graph;
        if (again === undefined) throw new Error("no graph");
        expect(renderConfig(again, wire(again, loadCatalogue()))).toBe(rendered);
      }),
      runs,
    );
  });
});
