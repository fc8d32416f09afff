import { isNode, parseDocument } from "yaml";
import type { Vrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../configuration/catalogue.ts";
import type { CheckContext } from "../configuration/check/check.ts";
import { compileFilled } from "../configuration/compile-filled.ts";
import type { PipelineGraph, Problem, Span } from "../configuration/graph.ts";
import { runUnitTests, type UnitTestResult } from "./unit-tests.ts";
import { tryOnSample, type TransformTrial } from "./what-if.ts";

/** A text whose transforms shall be run. */
export type TrialWork =
  | {
      readonly kind: "tests";
      readonly text: string;
      readonly context: CheckContext;
      readonly now: Date;
    }
  | {
      readonly kind: "sample";
      readonly text: string;
      readonly context: CheckContext;
      /** Events as JSON, by component. */
      readonly samples: ReadonlyMap<string, readonly string[]>;
    };

export interface TestsRan {
  /** Errors for which nothing was run. */
  readonly problems: readonly Problem[];
  readonly tests: readonly (UnitTestResult & { readonly span: Span | undefined })[];
}

export interface SampleTried {
  readonly problems: readonly Problem[];
  readonly transforms: readonly TransformTrial[];
}

/** Runs the transforms of a text that has no errors; on the compiler's thread, since programs may not end. */
export function carryOutTrial(work: TrialWork, engine: () => Vrl): TestsRan | SampleTried {
  const { filledGraph: graph, problems } = compileFilled(work.text, work.context, engine);
  const errors = problems.filter(({ severity }) => severity === "error");
  const sound = graph !== undefined && errors.length === 0;
  if (work.kind === "sample") {
    if (!sound) return { problems: errors, transforms: [] };
    const transforms = tryOnSample(graph, loadCatalogue(), engine(), work.samples);
    return { problems: [], transforms };
  }
  if (!sound) return { problems: errors, tests: [] };
  return { problems: [], tests: withPlaces(graph, work.text, work.now, engine) };
}

function withPlaces(
  graph: PipelineGraph,
  text: string,
  now: Date,
  engine: () => Vrl,
): TestsRan["tests"] {
  if (graph.globalConfig["tests"] === undefined) return [];
  const document = parseDocument(text, { merge: true });
  return runUnitTests(graph, loadCatalogue(), engine(), now).map((result) => {
    const node = document.getIn(["tests", result.index], true);
    const range = isNode(node) ? node.range : undefined;
    return { ...result, span: range ? { from: range[0], to: range[1] } : undefined };
  });
}
