import { spawnSync } from "node:child_process";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import { compilePipeline } from "../configuration/compile.ts";
import { componentForm, componentTypes } from "./component-forms.ts";
import { readSchema } from "./schema-options.ts";
import { compareSchema, compareVersions, differenceOf } from "./version-difference.ts";

const catalogue = loadCatalogue();

const variant = (type: string, definition: string) => ({
  allOf: [
    { $ref: `#/definitions/${definition}` },
    { required: ["type"], properties: { type: { const: type } } },
  ],
});

/** In the shape of `vector generate-schema`, with some options of three sinks; `more` are properties of blackhole. */
const schema = (more: object = {}) => ({
  definitions: {
    "vector::sources::Sources": { oneOf: [variant("demo_logs", "demo")] },
    "vector::transforms::Transforms": { oneOf: [] },
    "vector::sinks::Sinks": {
      oneOf: [
        variant("blackhole", "hole"),
        variant("shiny", "hole"),
        variant("console", "console"),
      ],
    },
    demo: { properties: { format: { type: "string" }, interval: { type: "number" } } },
    hole: {
      allOf: [{ $ref: "#/definitions/rate" }],
      properties: { print_interval_secs: { type: "integer", default: 0 }, ...more },
    },
    rate: { properties: { rate: { type: ["integer", "null"] } } },
    console: {
      properties: {
        encoding: {
          oneOf: [
            { properties: { codec: { const: "json" } } },
            { properties: { codec: { const: "text" } } },
            { $ref: "#/definitions/loop" },
          ],
        },
        target: { default: "stdout", oneOf: [{ const: "stdout" }, { const: "both" }] },
        maps: { type: "object", additionalProperties: { properties: { a: { type: "boolean" } } } },
        lists: { type: "array", items: { properties: { b: { type: "string" } } } },
        secret_thing: { type: "string", _metadata: { "docs::hidden": true } },
      },
      required: ["encoding"],
    },
    loop: { properties: { again: { $ref: "#/definitions/loop" } } },
  },
});

describe("a schema", () => {
  test("is read as options by path", () => {
    const options = readSchema(schema()).get("sink/console");
    expect([...(options?.keys() ?? [])]).toEqual([
      "encoding",
      "encoding.codec",
      "encoding.again",
      "target",
      "maps",
      "maps.*",
      "maps.*.a",
      "lists",
      "lists[].b",
    ]);
    expect(options?.get("target")).toEqual({
      path: "target",
      type: "string",
      required: false,
      default: "stdout",
      enum: ["stdout", "both"],
    });
    expect(options?.get("encoding.codec")?.enum).toEqual(["json", "text"]);
    expect(options?.get("lists")?.type).toBe("array<object>");
    expect(options?.get("encoding")?.required).toBe(true);
    expect(readSchema(schema()).get("sink/blackhole")?.get("rate")?.type).toBe("int");
  });

  test.each([[{}], [{ definitions: { "vector::sinks::Sinks": { oneOf: [{}] } } }], [null]])(
    "that is none has no components: %o",
    (wrong) => {
      expect([...readSchema(wrong ?? {}).keys()]).toEqual([]);
    },
  );

  test("is compared with what the product knows", () => {
    const { addsTypes, lacksTypes, addsOptions, lacksOptions } = compareSchema(
      "0.50.0",
      readSchema(schema({ sparkle: { type: "boolean" } })),
      catalogue,
    );
    expect(addsTypes).toEqual(["sink/shiny"]);
    expect(lacksTypes).toContain("transform/remap");
    expect(addsOptions["sink/blackhole"]).toEqual([
      { path: "sparkle", type: "bool", required: false },
    ]);
    expect(lacksOptions["source/demo_logs"]).toContain("decoding");
    expect(lacksOptions["source/demo_logs"]).not.toContain("decoding.codec");
  });
});

test("what is hidden, or is taken as one and as many, is no difference", () => {
  const stage = { properties: { type: { type: "string" }, when_full: { type: "string" } } };
  const { addsOptions, lacksOptions } = differ("0.50.0", {
    buffer: { oneOf: [stage, { type: "array", items: stage }] },
  });
  expect(addsOptions["sink/blackhole"]).toBeUndefined();
  expect(lacksOptions["source/demo_logs"]).toContain("count");
  expect(lacksOptions["source/demo_logs"]).not.toContain("log_namespace");
});

test("versions are in order by their numbers", () => {
  expect(["0.58.0", "0.9.1", "0.58.0-rc.1", "1.0.0", "0.58.10"].toSorted(compareVersions)).toEqual([
    "0.9.1",
    "0.58.0-rc.1",
    "0.58.0",
    "0.58.10",
    "1.0.0",
  ]);
});

const differ = (version: string, more: object = {}) =>
  compareSchema(version, readSchema(schema(more)), catalogue);
const sparkle = { sparkle: { type: "boolean" } };

describe("checks", () => {
  const said = (
    sink: string,
    present: readonly string[],
    differences: ReturnType<typeof differ>[],
  ) =>
    compilePipeline(
      `sources:\n  in: {type: demo_logs, format: json}\nsinks:\n  out: {inputs: [in], ${sink}}\n`,
      {
        secretNames: new Set(),
        certificateNames: new Set(),
        versions: { present, differences },
      },
      loadVrl,
    ).problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`);
  const lowest = (version: string, what: string) =>
    `Vector ${version}, the lowest version on the hosts here, has no ${what}`;

  test("follow the lowest version", () => {
    const old = differ("0.50.0");
    expect(said("type: blackhole, rate: 1", ["0.50.0", "0.58.0"], [old])).toEqual([]);
    expect(said("type: http, uri: 'http://a', encoding: {codec: json}", ["0.50.0"], [old])).toEqual(
      [`error type: ${lowest("0.50.0", "sink http")}`],
    );
    expect(
      said("type: console, encoding: {codec: json, only_fields: [a]}", ["0.50.0"], [old]),
    ).toEqual([`error encoding.only_fields: ${lowest("0.50.0", "option encoding.only_fields")}`]);
    expect(said("type: console, encoding: {codec: logfmt}", ["0.50.0"], [old])).toEqual([
      `error encoding.codec: ${lowest("0.50.0", "value logfmt for encoding.codec")}`,
    ]);
    // What it lacks, it does not need.
    expect(said("type: console", ["0.50.0"], [old])).toEqual([
      "error encoding: the option encoding is required",
    ]);
    // A lower version is there, of which nothing is known.
    expect(
      said("type: http, uri: 'http://a', encoding: {codec: json}", ["0.40.0", "0.50.0"], [old]),
    ).toEqual([]);
  });

  test("name the version that has what the lowest lacks", () => {
    const newer = differ("0.60.0", sparkle);
    const both = ["0.58.0", "0.60.0"];
    expect(said("type: shiny", both, [newer])).toEqual([
      `error type: ${lowest("0.58.0", "sink shiny")}; 0.60.0 has it`,
    ]);
    expect(said("type: blackhole, sparkle: true", both, [newer])).toEqual([
      `error sparkle: ${lowest("0.58.0", "option sparkle")}; 0.60.0 has it`,
    ]);
    expect(said("type: shiny", ["0.60.0"], [newer])).toEqual([]);
    expect(said("type: blackhole, sparkle: true", ["0.60.0"], [newer])).toEqual([]);
    expect(said("type: blackhole, sparkle: 1", ["0.60.0"], [newer])).toEqual([
      "error sparkle: sparkle must be true or false",
    ]);
  });
});

describe("forms", () => {
  const versions = {
    present: ["0.50.0", "0.58.0", "0.60.0"],
    differences: [differ("0.50.0"), differ("0.60.0", sparkle)],
  };

  test("tell what versions lack", () => {
    const { type, options } = componentForm("sink", "blackhole", catalogue, versions);
    expect(type).toMatchObject({ title: "Blackhole", lackingIn: [] });
    expect(type.description).toMatch(/^Drops everything/);
    const lacking = (path: string) => options.find((option) => option.path === path)?.lackingIn;
    expect(lacking("rate")).toEqual([]);
    expect(lacking("acknowledgements.enabled")).toEqual(["0.50.0", "0.60.0"]);
    expect(lacking("sparkle")).toEqual(["0.50.0", "0.58.0"]);
    expect(options.find(({ path }) => path === "buffer.type")?.description).not.toBe("");
  });

  test("offer main names only, and nothing that Vector hides", () => {
    const none = { present: [], differences: [] };
    const paths = componentForm("sink", "splunk_hec_logs", catalogue, none).options.map(
      ({ path }) => path,
    );
    expect(paths).toContain("default_token");
    expect(paths).toContain("compression");
    for (const hidden of ["token", "healthcheck_uri", "compression.algorithm"]) {
      expect(paths).not.toContain(hidden);
    }
  });

  test("have types that only a version has", () => {
    const types = componentTypes(catalogue, versions);
    expect(types.find(({ type }) => type === "shiny")?.lackingIn).toEqual(["0.58.0"]);
    expect(types.find(({ type }) => type === "remap")?.lackingIn).toEqual(["0.50.0", "0.60.0"]);
    expect(componentForm("sink", "shiny", catalogue, versions).options).toEqual([]);
    expect(() => componentForm("sink", "nothing", catalogue, versions)).toThrow(
      /no component type/,
    );
  });

  test("are those of the catalogue while nothing else is known", () => {
    const none = { present: [], differences: [] };
    expect(componentTypes(catalogue, none)).toHaveLength(128);
    const described = componentTypes(catalogue, none).filter(
      ({ description }) => description !== "",
    );
    expect(described.length).toBeGreaterThanOrEqual(40);
  });
});

const vector = process.env["VECTOR_BIN"];
test.skipIf(vector === undefined)(
  "a real Vector of the shipped version has the same options",
  () => {
    const { stdout } = spawnSync(vector ?? "", ["-qq", "generate-schema"], {
      encoding: "utf8",
      maxBuffer: 64 * 1024 * 1024,
    });
    const difference = differenceOf("0.58.0", gzipSync(stdout), catalogue);
    expect(difference.addsTypes).toEqual([]);
    const added = Object.values(difference.addsOptions).flat();
    expect(added).toEqual([]);
    const lacking = Object.values(difference.lacksOptions).flat();
    const values = Object.values(difference.lacksValues).flatMap((byPath) =>
      Object.entries(byPath),
    );
    // A build may have been made without some features.
    const codecs = new Set(["syslog", "otlp"]);
    expect(
      values.filter(
        ([path, lacks]) => !lacks.every((value) => codecs.has(value)) && !path.endsWith("strategy"),
      ),
    ).toEqual([]);
    expect(lacking.filter((path) => !/syslog$|^auth\.|^aws$/.test(path))).toEqual([]);
  },
);
