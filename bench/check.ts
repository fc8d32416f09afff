import { loadVrl } from "#vrl/vrl.ts";
import { compilePipeline } from "../server/configuration/compile.ts";
import { PipelineCompiler } from "../server/configuration/compiler.ts";

const components = 200;
const context = {
  secretNames: new Set<string>(),
  certificateNames: new Set<string>(),
  rendered: false,
};

/** A pipeline of 200 components, with a program in each transform. `word` is in all programs, `last` in one. */
export function largePipeline(word: string, last = word): string {
  const transforms = Array.from({ length: components - 2 }, (_, index) => {
    const input = index % 2 === 1 ? `t${index - 1}` : "in";
    const level = index === components - 3 ? last : word;
    return `  t${index}:
    type: remap
    inputs: [${input}]
    source: |
      . = parse_json!(.message)
      .status = to_int!(.status)
      .n${index} = upcase(string!(.host))
      if .status >= 500 { .level = "${level}" }
      del(.tmp)
`;
  });
  return `sources:
  in:
    type: demo_logs
    format: json
transforms:
${transforms.join("")}sinks:
  out:
    type: blackhole
    inputs: ["t*"]
`;
}

function median(values: readonly number[]): number {
  return Math.round(values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN);
}

function timed(work: () => unknown): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}

export interface CheckTimes {
  /** The first check of a thread that has just been started, with the compiler to load. */
  readonly firstMs: number;
  /** A text of which every program is new, on a thread that has checked before. */
  readonly newTextMs: number;
  readonly newTextBestMs: number;
  /** A text that differs in one program from the one before. */
  readonly oneChangeMs: number;
  readonly oneChangeBestMs: number;
}

/** How long a check of 200 components with 198 programs takes. */
export async function measureCheck(quick: boolean): Promise<CheckTimes> {
  const firsts: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    await using compiler = new PipelineCompiler(60_000);
    const started = performance.now();
    await compiler.compile(largePipeline(`f${round}`), context);
    firsts.push(performance.now() - started);
  }
  const check = (text: string): number => timed(() => compilePipeline(text, context, loadVrl));
  const rounds = quick ? 5 : 20;
  for (let round = 0; round < 8; round += 1) check(largePipeline(`w${round}`));
  const fresh = Array.from({ length: rounds }, (_, round) => check(largePipeline(`n${round}`)));
  const changed = Array.from({ length: rounds }, (_, round) =>
    check(largePipeline("same", `c${round}`)),
  );
  const typed = changed.slice(1);
  return {
    firstMs: median(firsts),
    newTextMs: median(fresh),
    newTextBestMs: Math.round(Math.min(...fresh)),
    oneChangeMs: median(typed),
    oneChangeBestMs: Math.round(Math.min(...typed)),
  };
}
