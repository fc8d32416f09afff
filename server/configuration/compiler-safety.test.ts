import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import http from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PipelineCompiler } from "./compiler.ts";

test("checks and trials run nothing that an author chose, read no file and call nobody (S19)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "vectorflow-safety-"));
  const marker = join(folder, "was-here");
  const calls: string[] = [];
  const listener = http.createServer((request, response) => {
    calls.push(request.url ?? "");
    response.end("{}");
  });
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const address = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  const text = `sources:
  command: {type: exec, mode: scheduled, command: [touch, ${marker}]}
  client: {type: http_client, endpoint: "${address}/client"}
transforms:
  script:
    type: lua
    inputs: [command]
    version: "2"
    source: os.execute("touch ${marker}")
    hooks: {process: "function (event, emit) os.execute('touch ${marker}') end"}
  cloud: {type: aws_ec2_metadata, inputs: [script], endpoint: "${address}/metadata"}
  ask:
    type: remap
    inputs: [client, cloud]
    source: |
      .answer = http_request("${address}/program") ?? "none"
      .name = get_enrichment_table_record("table", {"a": "b"}) ?? {}
      .grok = parse_groks(.message, patterns: ["%{x}"], alias_sources: ["${folder}/aliases"]) ?? {}
  file: {type: remap, inputs: [ask], file: ${folder}/program.vrl}
sinks:
  out: {type: http, inputs: [file], uri: "${address}/sink", encoding: {codec: json}}
enrichment_tables:
  table: {type: file, file: {path: ${folder}/table.csv, encoding: {type: csv}}}
tests:
  - name: it asks
    inputs: [{insert_at: ask, value: text}]
    outputs: [{extract_from: ask, conditions: ['http_request!("${address}/condition") == ""']}]
`;
  const context = { secretNames: new Set<string>(), certificateNames: new Set<string>() };
  await using compiler = new PipelineCompiler(20_000);
  const { problems, configYaml } = await compiler.compile(text, context);
  expect(problems.filter(({ severity }) => severity === "error")).toEqual([]);
  expect(configYaml).toContain("exec");
  const { tests } = await compiler.runTests(text, context, new Date());
  expect(tests).toMatchObject([{ state: "not_run" }]);
  const samples = new Map([
    ["client", ['{"message":"a"}']],
    ["command", ['{"message":"a"}']],
  ]);
  const { transforms } = await compiler.tryOnSample(text, context, samples);
  expect(transforms.map(({ unknown }) => unknown === "")).toEqual([false, false, false, false]);
  expect(calls).toEqual([]);
  await expect(access(marker)).rejects.toThrow("ENOENT");
  listener.close();
  await rm(folder, { recursive: true });
});
