import { loadVrl } from "#vrl/vrl.ts";
import { loadCatalogue } from "../server/configuration/catalogue.ts";
import { checkGraph } from "../server/configuration/check/check.ts";
import { compilePipeline } from "../server/configuration/compile.ts";
import { PipelineCompiler } from "../server/configuration/compiler.ts";
import { parsePipelineText } from "../server/configuration/graph.ts";
import { checkPrograms } from "../server/configuration/vrl/check-programs.ts";
import { wire } from "../server/configuration/wiring.ts";

const components = 200;
const context = {
  secretNames: new Set(["token"]),
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

function lines(count: number, line: (at: number) => string): string {
  return Array.from({ length: count }, (_, at) => line(at)).join("");
}

/** 200 components as people have them: 40 sources, 110 transforms of which 100 have programs, and 50 sinks. */
function mixedPipeline(word: string, last = word): string {
  const inputsOf = (at: number): string =>
    at < 20
      ? `only${at}`
      : at < 30
        ? `by${at - 20}.bad, by${at - 20}._unmatched, few${at - 20}`
        : `parse${at}`;
  return `sources:
${lines(
  40,
  (at) => `  in${at}:
    type: file
    include: [/var/log/${word}/app${at}/*.log]
    ignore_older_secs: 86400
    multiline: {start_pattern: '^\\d', mode: halt_before, condition_pattern: '^\\d', timeout_ms: 1000}
`,
)}transforms:
${lines(
  70,
  (at) => `  parse${at}:
    type: remap
    inputs: [in${at % 40}]
    source: |
      . = parse_json!(.message)
      .status = to_int!(.status)
      .app = "${at === 69 ? last : word}${at}"
      if .status >= 500 { .level = "error" }
      del(.tmp)
`,
)}${lines(
    20,
    (at) => `  only${at}:
    type: filter
    inputs: [parse${at}]
    condition: '.level == "${word}" && .status != ${at}'
`,
  )}${lines(
    10,
    (at) => `  by${at}:
    type: route
    inputs: [parse${at + 20}]
    route: {bad: '.level == "error"', slow: '.took == ${at}'}
`,
  )}${lines(
    10,
    (at) => `  few${at}: {type: sample, inputs: [by${at}.slow], rate: ${at + 2}}
`,
  )}sinks:
${lines(
  50,
  (at) => `  out${at}:
    type: http
    inputs: [${inputsOf(at)}]
    uri: https://logs.example.com/${word}/${at}
    encoding: {codec: json}
    auth: {strategy: bearer, token: "SECRET[token]"}
    batch: {max_events: 1000, timeout_secs: 5}
    buffer: {type: disk, max_size: 536870912, when_full: block}
`,
)}`;
}

/** Milliseconds, as the median of the rounds and the best. */
export interface Times {
  readonly median: number;
  readonly best: number;
}

/** What a check takes: of a graph that has been read, and with reading the text. */
export interface CheckOf {
  readonly graphMs: Times;
  readonly textMs: Times;
}

export interface CheckTimes {
  /** The first check of a thread that has just been started, with the compiler to load. */
  readonly firstMs: number;
  /** Of components of all kinds: a text that is new, on a thread that has checked before. */
  readonly mixedNew: CheckOf;
  /** The same, with one program changed since the check before, as when somebody types. */
  readonly mixedChange: CheckOf;
  /** Of nothing but programs, 198 of them. */
  readonly programsNew: CheckOf;
  readonly programsChange: CheckOf;
}

function checkReadGraph(text: string): number {
  const catalogue = loadCatalogue();
  const parsed = parsePipelineText(text);
  const { graph } = parsed;
  if (graph === undefined) throw new Error("the text is no configuration");
  return timed(() => {
    const wiring = wire(graph, catalogue);
    checkPrograms(text, parsed, graph, wiring, catalogue, loadVrl);
    checkGraph(text, parsed, graph, wiring, catalogue, context);
  });
}

/** How long a check of 200 components takes. */
export async function measureCheck(quick: boolean): Promise<CheckTimes> {
  const firsts: number[] = [];
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    await using compiler = new PipelineCompiler(60_000);
    const started = performance.now();
    await compiler.compile(largePipeline(`f${round}`), context);
    firsts.push(performance.now() - started);
  }
  const rounds = quick ? 5 : 30;
  const timesOf = (once: (round: number) => number): Times => {
    const times = Array.from({ length: rounds + 8 }, (_, round) => once(round)).slice(8);
    return { median: median(times), best: Math.round(Math.min(...times)) };
  };
  const measure = (text: (round: string) => string): CheckOf => ({
    graphMs: timesOf((round) => checkReadGraph(text(`g${round}`))),
    textMs: timesOf((round) => timed(() => compilePipeline(text(`t${round}`), context, loadVrl))),
  });
  return {
    firstMs: median(firsts),
    mixedNew: measure((round) => mixedPipeline(round)),
    mixedChange: measure((round) => mixedPipeline("same", round)),
    programsNew: measure((round) => largePipeline(round)),
    programsChange: measure((round) => largePipeline("same", round)),
  };
}
