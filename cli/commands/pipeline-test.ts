import { readFile } from "node:fs/promises";
import { UnitTestState, type UnitTest } from "#gen/vectorflow/v1/trial_service_pb.ts";
import { findPipeline } from "../client/lookups.ts";
import { CliError, UsageError, exitCodes, type ExitCode } from "../failures.ts";
import { countOf, problemLines } from "../output/pipeline-texts.ts";
import { printable } from "../output/printable.ts";
import { problemView } from "../output/views.ts";
import { environmentOf, type CommandContext } from "./context.ts";
import { withSummary } from "./server-pipelines.ts";

const states: Readonly<Partial<Record<UnitTestState, string>>> = {
  [UnitTestState.PASSED]: "passed",
  [UnitTestState.FAILED]: "failed",
  [UnitTestState.NOT_RUN]: "not_run",
};

/** Runs the tests of a pipeline's saved draft, or of a file that would become it. */
export async function pipelinesTest(context: CommandContext): Promise<ExitCode> {
  const { client, output, argument } = context;
  const { id, name } = await findPipeline(client, await environmentOf(context), argument);
  const yaml = await textOf(context, id);
  if (context.flags["on-host"] === true) return testOnHost(context, { id, name }, yaml);
  const { problems, tests } = await client.trials.runTests({ pipelineId: id, yaml });
  const value = {
    pipeline: name,
    problems: problems.map(problemView),
    tests: tests.map(testView),
  };
  const failed = tests.filter(({ state }) => state === UnitTestState.FAILED).length;
  const refused = problems.length > 0;
  output.result(value, () =>
    [
      ...problemLines(problems, output.paint),
      ...tests.flatMap(testLines),
      refused
        ? "errors in the text: nothing was run"
        : tests.length === 0
          ? "it has no tests"
          : `${countOf(tests.length, "test")}, ${failed} failed`,
    ].join("\n"),
  );
  return refused || failed > 0 ? exitCodes.failed : exitCodes.ok;
}

/** The Vector of a host runs them, also those that nothing else can. */
async function testOnHost(
  { client, output, signal }: CommandContext,
  { id, name }: { readonly id: string; readonly name: string },
  yaml: string,
): Promise<ExitCode> {
  const call = client.trials.runTestsOnHost({ pipelineId: id, yaml }, { signal });
  for await (const { nodeName, done, vectorVersion, tests, reason } of call) {
    if (!done) {
      output.note(printable(`${nodeName} runs the tests`));
      continue;
    }
    const value = {
      pipeline: name,
      host: nodeName,
      vector_version: vectorVersion,
      reason,
      tests: tests.map(testView),
    };
    const failed = tests.filter(({ state }) => state === UnitTestState.FAILED).length;
    output.result(value, () =>
      [
        ...tests.flatMap(testLines),
        reason === ""
          ? printable(`${countOf(tests.length, "test")} on ${nodeName}, ${failed} failed`)
          : printable(`${nodeName}: ${reason}`),
      ].join("\n"),
    );
    return reason === "" && failed === 0 ? exitCodes.ok : exitCodes.failed;
  }
  throw new CliError("the server ended the call before the host had answered");
}

function testView({ name, state, messages }: UnitTest) {
  return { name, state: states[state] ?? "unknown", messages };
}

function testLines({ name, state, messages }: UnitTest): string[] {
  const word = states[state]?.replace("_", " ") ?? "unknown";
  return [
    printable(`${word.padEnd(8)} ${name}`),
    ...messages.flatMap((message) => message.split("\n")).map((line) => printable(`  ${line}`)),
  ];
}

async function textOf({ client, flags, stdin }: CommandContext, id: string): Promise<string> {
  if (flags.file === undefined) {
    return withSummary((await client.pipelines.getPipeline({ id })).pipeline).yaml;
  }
  if (flags.file === "-") return (await stdin.readAll()).toString();
  return readFile(flags.file, "utf8").catch((error: unknown) => {
    throw new UsageError(`cannot read ${String(flags.file)}: ${(error as Error).message}`);
  });
}
