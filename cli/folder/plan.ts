import { sameName } from "../client/names.ts";
import type { DeclaredPipeline } from "./read-folder.ts";
import type { PipelineSettings } from "./settings.ts";

/** A pipeline as the server has it. */
export interface CurrentPipeline {
  readonly id: string;
  readonly name: string;
  /** Of the saved draft. */
  readonly yaml: string;
  readonly revision: string;
  readonly settings: Required<PipelineSettings>;
  /** Identifies the selector. */
  readonly selectorEtag: string;
  /** 0 when it is not deployed. */
  readonly deployedVersion: number;
  /** 0 when it is not paused. */
  readonly pausedVersion: number;
  /** What is deployed is not the saved draft. */
  readonly changed: boolean;
}

/** What of a pipeline differs. */
export type Part = "text" | "description" | "selector" | "log_level" | "limits";

/** What shall be done about one pipeline. */
export type Step =
  | { readonly kind: "create"; readonly declared: DeclaredPipeline; readonly deploy: boolean }
  | {
      readonly kind: "update";
      readonly declared: DeclaredPipeline;
      readonly current: CurrentPipeline;
      readonly parts: readonly Part[];
      readonly deploy: boolean;
    }
  | {
      readonly kind: "unchanged";
      readonly declared: DeclaredPipeline;
      readonly current: CurrentPipeline;
      readonly deploy: boolean;
    };

/** What the pipeline of a step is called: on the server, where names differ only by case. */
export function nameOf(step: Step): string {
  return step.kind === "create" ? step.declared.name : step.current.name;
}

/** A pipeline of the environment that has no file. */
export interface Extra {
  readonly id: string;
  readonly name: string;
  readonly deployedVersion: number;
  readonly pausedVersion: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly notInFolder: readonly Extra[];
}

/**
 * Compares what files say with what the server has. With `deploy`, what is not deployed as its file says will be;
 * what somebody paused only with `endPauses`.
 */
export function planApply(
  declared: readonly DeclaredPipeline[],
  current: readonly CurrentPipeline[],
  existing: readonly Extra[],
  { deploy, endPauses }: { readonly deploy: boolean; readonly endPauses: boolean },
): Plan {
  const steps = declared.map((pipeline): Step => {
    const found = current.find(({ name }) => sameName(name, pipeline.name));
    if (found === undefined) return { kind: "create", declared: pipeline, deploy };
    const parts = differingParts(pipeline, found);
    const stale = found.deployedVersion === 0 || found.changed || parts.includes("text");
    const held = found.pausedVersion !== 0 && !endPauses;
    const common = { declared: pipeline, current: found, deploy: deploy && stale && !held };
    return parts.length === 0
      ? { kind: "unchanged", ...common }
      : { kind: "update", ...common, parts };
  });
  const notInFolder = existing.filter(
    ({ name }) => !declared.some((pipeline) => sameName(name, pipeline.name)),
  );
  return { steps, notInFolder };
}

/** Whether applying would change anything on the server. */
export function changesAnything({ steps, notInFolder }: Plan, prune: boolean): boolean {
  return (
    steps.some(({ kind, deploy }) => kind !== "unchanged" || deploy) ||
    (prune && notInFolder.length > 0)
  );
}

function differingParts(declared: DeclaredPipeline, current: CurrentPipeline): readonly Part[] {
  const { description, selector, logLevel, limits } = declared.settings;
  const now = current.settings;
  const differs = (wanted: unknown, has: unknown): boolean =>
    wanted !== undefined && JSON.stringify(wanted) !== JSON.stringify(has);
  return [
    ...(declared.yaml === current.yaml ? [] : ["text" as const]),
    ...(differs(description, now.description) ? ["description" as const] : []),
    ...(differs(selector?.map(termParts), now.selector.map(termParts))
      ? ["selector" as const]
      : []),
    ...(differs(logLevel, now.logLevel) ? ["log_level" as const] : []),
    ...(limits !== undefined &&
    (limits.memoryMib !== now.limits.memoryMib || limits.cpuCores !== now.limits.cpuCores)
      ? ["limits" as const]
      : []),
  ];
}

function termParts({ key, operator, values }: Required<PipelineSettings>["selector"][number]) {
  return [key, operator, values];
}
