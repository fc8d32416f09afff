import { create } from "@bufbuild/protobuf";
import { CompletionContext } from "@codemirror/autocomplete";
import { createRouterTransport } from "@connectrpc/connect";
import { EditorState } from "@codemirror/state";
import { expect, test } from "vitest";

import {
  ComponentOptionSchema,
  ComponentSchemaService,
} from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { createComponentForms } from "./component-forms.ts";
import { completeOptions, textAt } from "./options.ts";
import { placeAt } from "./yaml-place.ts";

const option = (path: string, more: object = {}) =>
  create(ComponentOptionSchema, { path, types: ["string"], ...more });

function fakeForms(failures = 0) {
  const asked: string[] = [];
  const transport = createRouterTransport(({ service }) => {
    service(ComponentSchemaService, {
      getComponentCatalogue() {
        asked.push("types");
        if (asked.length <= failures) throw new Error("away");
        const described = { description: "Sends by HTTP.", lackingIn: ["0.40.0"] };
        return {
          types: [
            { kind: ComponentKind.SINK, type: "http", title: "HTTP", ...described },
            { kind: ComponentKind.SOURCE, type: "file", title: "File" },
          ],
        };
      },
      getComponentForm({ type, kind }) {
        asked.push(type);
        if (kind !== ComponentKind.SINK) return {};
        return {
          options: [
            option("uri", { required: true, description: "Where they go." }),
            option("method", { values: ["post", "put"], defaultJson: '"post"' }),
            option("tls"),
            option("tls.crt_file", { lackingIn: ["0.40.0"], relevantWhen: "enabled = true" }),
          ],
        };
      },
    });
  });
  return { forms: createComponentForms(transport, "env-1"), asked };
}

const sink = (line: string): string => `sinks:\n  out:\n    type: http\n${line}`;

async function complete(text: string, forms = fakeForms().forms): Promise<readonly string[]> {
  const context = new CompletionContext(EditorState.create({ doc: text }), text.length, true);
  return (await completeOptions(forms)(context))?.options.map(({ label }) => label) ?? [];
}

test.each([
  [sink("    "), ["uri", "method", "tls"]],
  [sink("    ur"), ["uri", "method", "tls"]],
  [sink("    tls:\n      "), ["crt_file"]],
  [sink("    method: "), ["post", "put"]],
  [sink("    uri: "), []],
  ["sinks:\n  out:\n    type: ", ["http"]],
  ["sources:\n  in:\n    type: fi", ["file"]],
  ["sinks:\n  ou", []],
])("after %o come %o", async (text, expected) => {
  expect(await complete(text)).toEqual(expected);
});

test("the server is asked once, and again after a failure", async () => {
  const { forms, asked } = fakeForms(1);
  const text = "sinks:\n  out:\n    type: ";
  expect(await complete(text, forms)).toEqual([]);
  expect(await complete(text, forms)).toEqual(["http"]);
  expect(await complete(text, forms)).toEqual(["http"]);
  expect(asked).toEqual(["types", "types"]);
});

test("what is under the pointer is told", async () => {
  const text = sink("    uri: http://a\n    tls:\n      crt_file: x\n");
  const said = async (word: string): Promise<string> => {
    const at = text.indexOf(word) + 1;
    const place = placeAt(text, at);
    return place === undefined ? "" : textAt(fakeForms().forms, place, at);
  };
  expect(await said("uri")).toBe("Where they go.\nstring, required");
  expect(await said("http")).toBe("Sends by HTTP.\nnot in Vector 0.40.0");
  expect(await said("crt_file")).toBe("string\nonly when enabled = true\nnot in Vector 0.40.0");
  expect(await said("http://a")).toBe("");
});
