import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { HostPolicyKeeper } from "../policy/host-policy.ts";
import type { PipelineBody } from "../reconcile/desired-state.ts";
import type { VectorLookup } from "../vector/executable.ts";
import { withoutInterpolation } from "../vector/interpolation.ts";
import { runUnitTests, type UnitTestOutcome } from "../vector/unit-tests.ts";
import { validateBuilt } from "./apply.ts";
import { buildConfig, maskedFault } from "./build.ts";
import type { ConfigProblem } from "./pipeline-status.ts";

/** Where and with what configurations are checked that are not applied. */
export interface CheckPlace {
  readonly env: Readonly<Record<string, string>>;
  /** Holds a folder for the check under way, and nothing otherwise. */
  readonly folder: string;
  readonly policy: Pick<HostPolicyKeeper, "judge">;
  vector(): VectorLookup;
}

/** What this host says of a configuration. */
export interface CheckOutcome {
  readonly kind: "accepted" | "refused" | "failed";
  readonly reason: string;
  readonly problems: readonly ConfigProblem[];
  /** Empty when Vector was not asked. */
  readonly vectorVersion: string;
  /** Of the unit tests, when they were asked for and could be run. */
  readonly tests: readonly UnitTestOutcome[];
}

export interface CheckOptions {
  readonly timeLimitMs: number;
  /** Runs the unit tests instead of asking whether it would be taken. */
  readonly runTests: boolean;
}

/**
 * Checks a configuration as an apply would, and applies nothing: the host's policy judges it with its secrets in
 * place, and the installed Vector validates what would be given to it, offline and through a pipe. It has a folder of
 * its own, no port, and the lowest priority, so that what runs is not disturbed; the folder is gone afterwards.
 */
export async function checkConfig(
  place: CheckPlace,
  body: PipelineBody,
  { timeLimitMs, runTests }: CheckOptions,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const lookup = place.vector();
  if (lookup.kind === "missing") {
    return { kind: "failed", reason: lookup.problem, problems: [], vectorVersion: "", tests: [] };
  }
  const { executable } = lookup;
  const vectorVersion = executable.version;
  await mkdir(place.folder, { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(place.folder, "check-"));
  try {
    const paths = {
      folder,
      data: join(folder, "data"),
      config: join(folder, "vector.yaml"),
      certificates: join(folder, "certs"),
    };
    const build = buildConfig(body, {
      paths,
      // Nothing listens: offline, Vector reads addresses and opens none.
      ports: { metrics: 0, api: 0 },
      secretsCommand: ["/bin/false"],
      judge: (text) => place.policy.judge(text, paths.certificates),
    });
    if (build.kind === "refused") {
      const { reason, problems } = build.fault;
      return { kind: "refused", reason, problems, vectorVersion: "", tests: [] };
    }
    if (runTests) {
      const flags = withoutInterpolation(vectorVersion);
      const ran = await runUnitTests(
        {
          vectorPath: executable.path,
          args: flags.args,
          config: flags.escape(build.built.text),
          cwd: folder,
          env: place.env,
          timeoutMs: timeLimitMs,
        },
        signal,
      );
      return ran.kind === "ran"
        ? { kind: "accepted", reason: "", problems: [], vectorVersion, tests: ran.tests }
        : { kind: "failed", reason: ran.reason, problems: [], vectorVersion, tests: [] };
    }
    const fault = await validateBuilt(
      {
        executable,
        cwd: folder,
        env: place.env,
        limits: { validateMs: timeLimitMs },
        lowPriority: true,
      },
      build.built,
      signal,
    );
    signal.throwIfAborted();
    if (fault === undefined) {
      return { kind: "accepted", reason: "", problems: [], vectorVersion, tests: [] };
    }
    const { reason, problems } = maskedFault(fault, build.built.mask);
    // A Vector that gave no verdict has refused nothing.
    const kind = problems.length > 0 ? "refused" : "failed";
    return { kind, reason, problems, vectorVersion, tests: [] };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
