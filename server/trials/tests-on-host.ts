import { newId } from "../db/columns.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError } from "../errors.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import type { PipelineGraph } from "../configuration/graph.ts";
import type { HostTest } from "../host-checks/host-check-groups.ts";
import { ask, compileForHosts, endQuestion, readTargets } from "../host-checks/questions.ts";
import { findPipeline } from "../pipelines/pipelines.ts";
import { renderConfig } from "../configuration/render.ts";
import { wire } from "../configuration/wiring.ts";
import type { Scope } from "../scope.ts";
import { collectReferences } from "../secrets/references.ts";
import { testedHashOf } from "./trials.ts";

export interface TestsOnHost {
  readonly nodeName: string;
  readonly done: boolean;
  readonly vectorVersion: string;
  readonly tests: readonly HostTest[];
  readonly reason: string;
}

/** With what else the host is asked before. */
const longestMs = 60_000;

/**
 * Runs the tests of a text on one host. Vector throws sources and sinks away, so the host does not get them: nor does
 * it get secrets, which Vector could read only from a file. Throws `invalid` for a text with errors or without tests,
 * and `precondition` when no host can be asked, or when a transform needs a secret.
 */
export async function* runTestsOnHost(
  deps: ServerDeps,
  scope: Scope,
  input: { readonly pipelineId: string; readonly yaml: string; readonly nodeId: string },
  signal: AbortSignal,
): AsyncGenerator<TestsOnHost, void, undefined> {
  const pipeline = await findPipeline(scope, input.pipelineId);
  const { graph, configYaml } = await compileForHosts(deps, scope, pipeline, input.yaml);
  const testYaml = testConfig(graph);
  const host = (await readTargets(deps.orm.em.fork(), pipeline.id)).find(
    ({ id, connected, able }) => connected && able && (input.nodeId === "" || id === input.nodeId),
  );
  if (host === undefined) {
    throw new DomainError(
      "precondition",
      "node_offline",
      "no host that this pipeline is for is connected and can run tests",
    );
  }
  const id = newId();
  using watch = deps.hostChecks.watch(id);
  await ask(
    scope,
    pipeline,
    {
      id,
      nodeId: host.id,
      runTests: true,
      configYaml: testYaml,
      references: {},
      expiresAt: new Date(deps.clock.now().getTime() + longestMs),
    },
    {
      action: "pipeline.tested_on_host",
      metadata: { nodeId: host.id, nodeName: host.name },
    },
  );
  const about = { nodeName: host.name, vectorVersion: "", tests: [], reason: "" };
  try {
    yield { ...about, done: false };
    const timer = AbortSignal.any([signal, AbortSignal.timeout(longestMs)]);
    let answer = await readAnswer(deps, id);
    while (answer === undefined && !timer.aborted) {
      await watch.answers.take(timer).catch(() => {}); // The time is over, or nobody waits.
      answer = await readAnswer(deps, id);
    }
    if (signal.aborted) return;
    if (answer === undefined) {
      yield { ...about, done: true, reason: "it did not answer in time" };
      return;
    }
    const { verdict, reason, vectorVersion, tests } = answer;
    if (verdict === "ACCEPTED" && tests.length > 0 && tests.every(({ passed }) => passed)) {
      await deps.orm.em
        .fork()
        .execute(`update "Pipeline" set "testedHash" = ? where "id" = ?`, [
          testedHashOf(configYaml),
          pipeline.id,
        ]);
    }
    yield { ...about, done: true, vectorVersion, tests, reason };
  } finally {
    await endQuestion(deps, id);
  }
}

/** A configuration of only what tests need. */
function testConfig(graph: PipelineGraph): string {
  const { tests } = graph.globalConfig;
  if (!Array.isArray(tests) || tests.length === 0) {
    throw new DomainError("invalid", "tests_missing", "the text has no tests");
  }
  const transforms = graph.components.filter(({ kind }) => kind === "transform");
  const config = renderConfig({ ...graph, components: transforms }, wire(graph, loadCatalogue()));
  const { secrets = [], certificates = [] } = collectReferences(config);
  const [first] = [...secrets, ...certificates];
  if (first === undefined) return config;
  throw new DomainError(
    "precondition",
    "tests_need_secret",
    `a transform or a global option refers to ${first}: tests on hosts get no secrets and certificates`,
  );
}

async function readAnswer(
  deps: ServerDeps,
  checkId: string,
): Promise<
  | {
      readonly verdict: string;
      readonly reason: string;
      readonly vectorVersion: string;
      readonly tests: readonly HostTest[];
    }
  | undefined
> {
  const [row] = await deps.orm.em
    .fork()
    .execute<
      { verdict: string; reason: string; vectorVersion: string; tests: readonly HostTest[] }[]
    >(
      `select "verdict", "reason", "vectorVersion", "tests" from "HostCheckAnswer" where "checkId" = ?`,
      [checkId],
    );
  return row;
}
