import { create } from "@bufbuild/protobuf";

import { ProblemSchema, Severity, type Problem } from "#gen/vectorflow/v1/pipeline_pb.ts";
import type { VrlPrograms } from "#gen/vectorflow/v1/pipeline_service_pb.ts";
import type { ProgramPlace } from "#vrl/check-text.ts";
import type { VrlCompileOptions, VrlKind } from "#vrl/vrl.ts";

import type { Checked } from "../preview.ts";
import type { VrlChecked } from "./vrl-checks.ts";

export function programPlaces(programs: VrlPrograms | undefined): ProgramPlace[] {
  // The server writes what its own compiler takes.
  const options = (programs?.optionsJson ?? []).map(
    (json) => JSON.parse(json) as VrlCompileOptions,
  );
  const kinds = (programs?.kindsJson ?? []).map((json) => JSON.parse(json) as VrlKind);
  return (programs?.programs ?? []).map(
    ({ componentKey, path, optionsIndex, certainKindIndex = -1 }) => {
      const certain = kinds[certainKindIndex];
      return {
        componentKey,
        path,
        options: options[optionsIndex] ?? {},
        ...(certain !== undefined && { certain }),
      };
    },
  );
}

/**
 * The problems of a text that is being typed. The server's, where they are of this very text. Else those of programs
 * come from the compiler in this browser, and the server's others stay at their words as long as those are untouched.
 * Undefined while neither has looked at the text.
 */
export function shownProblems(
  text: string,
  checked: Checked | undefined,
  compiled: VrlChecked | undefined,
): readonly Problem[] | undefined {
  if (checked === undefined) return [];
  const { problems, programs } = checked.response;
  if (checked.text === text) return problems;
  if (compiled?.text !== text) return undefined;
  const places = new Set(
    (programs?.programs ?? []).map(({ componentKey, path }) => `${componentKey} ${path.join(".")}`),
  );
  const others = problems.filter(
    ({ componentKey, field }) => !places.has(`${componentKey} ${field}`),
  );
  const found = compiled.findings.map(({ severity, message, componentKey, field, span }) =>
    create(ProblemSchema, {
      severity: severity === "error" ? Severity.ERROR : Severity.WARNING,
      message,
      componentKey,
      field,
      ...(span && { ...span, line: lineOf(text, span.from) }),
    }),
  );
  return [...others.flatMap((problem) => moved(problem, checked.text, text)), ...found];
}

/** A problem at its place in the newer text; none where its words were typed over. Its fixes are places, and go. */
function moved(problem: Problem, before: string, after: string): readonly Problem[] {
  if (problem.to === 0) return [problem];
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  let end = 0;
  while (end < shorter - start && before.at(-1 - end) === after.at(-1 - end)) end++;
  const by =
    problem.to <= start
      ? 0
      : problem.from >= before.length - end
        ? after.length - before.length
        : undefined;
  if (by === undefined) return [];
  const [from, to] = [problem.from + by, problem.to + by];
  return [{ ...problem, from, to, line: lineOf(after, from), textFixes: [] }];
}

function lineOf(text: string, position: number): number {
  return text.slice(0, position).split("\n").length;
}
