import { stringify } from "yaml";
import { readDocument } from "#common/yaml-document.ts";

export const operatorNames = ["equals", "not_equals", "in", "exists", "not_exists"] as const;
export type OperatorName = (typeof operatorNames)[number];

export interface SelectorTerm {
  readonly key: string;
  readonly operator: OperatorName;
  readonly values: readonly string[];
}

/** What belongs to a pipeline and not to its configuration. What is undefined stays as the server has it. */
export interface PipelineSettings {
  readonly description?: string;
  /** All must hold; none select every host. */
  readonly selector?: readonly SelectorTerm[];
  readonly logLevel?: string;
  readonly limits?: { readonly memoryMib: number; readonly cpuCores: number };
}

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;

/** A settings file, or all that is wrong with it. */
export type ReadSettings =
  | { readonly kind: "read"; readonly settings: PipelineSettings }
  | { readonly kind: "unreadable"; readonly problems: readonly string[] };

type Fields = Readonly<Record<string, unknown>>;

/** Reads a settings file. An unknown key is a problem: it may be a misspelt one that would silently do nothing. */
export function parseSettings(text: string): ReadSettings {
  const parsed = readDocument(text);
  if (parsed.kind === "unreadable") return parsed;
  const problems: string[] = [];
  const root: unknown = parsed.document.toJS() ?? {};
  const fields = fieldsOf(root, "", ["description", "selector", "log_level", "limits"], problems);
  const settings: PipelineSettings = {
    ...(fields["description"] !== undefined && {
      description: readDescription(fields["description"], problems),
    }),
    ...(fields["selector"] !== undefined && {
      selector: readSelector(fields["selector"], problems),
    }),
    ...(fields["log_level"] !== undefined && {
      logLevel: readLogLevel(fields["log_level"], problems),
    }),
    ...(fields["limits"] !== undefined && { limits: readLimits(fields["limits"], problems) }),
  };
  return problems.length === 0 ? { kind: "read", settings } : { kind: "unreadable", problems };
}

function fieldsOf(
  value: unknown,
  place: string,
  known: readonly string[],
  problems: string[],
): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    problems.push(`${place === "" ? "the file" : place} must have ${known.join(", ")}`);
    return {};
  }
  for (const key of Object.keys(value)) {
    if (!known.includes(key)) {
      problems.push(
        `${place === "" ? "" : `${place}.`}${key} is unknown: there is ${known.join(", ")}`,
      );
    }
  }
  return value as Fields;
}

function readDescription(value: unknown, problems: string[]): string {
  if (typeof value === "string") return value.trim();
  problems.push("description must be a text");
  return "";
}

function readLogLevel(value: unknown, problems: string[]): string {
  const level = logLevels.find((name) => name === value);
  if (level === undefined) problems.push(`log_level must be one of ${logLevels.join(", ")}`);
  return level ?? "";
}

function readLimits(value: unknown, problems: string[]) {
  const fields = fieldsOf(value, "limits", ["memory_mib", "cpu_cores"], problems);
  const read = (key: string): number => {
    const limit = typeof fields[key] === "bigint" ? Number(fields[key]) : (fields[key] ?? 0);
    if (typeof limit === "number" && Number.isFinite(limit) && limit >= 0) return limit;
    problems.push(`limits.${key} must be a number; 0 is no limit`);
    return 0;
  };
  const memoryMib = read("memory_mib");
  if (!Number.isInteger(memoryMib) || memoryMib > 0xffff_ffff) {
    problems.push("limits.memory_mib must be a whole number of mebibytes");
  }
  return { memoryMib, cpuCores: read("cpu_cores") };
}

function readSelector(value: unknown, problems: string[]): readonly SelectorTerm[] {
  if (!Array.isArray(value)) {
    problems.push("selector must be a list of conditions; an empty one selects every host");
    return [];
  }
  return value.flatMap((item: unknown, index): SelectorTerm[] => {
    const place = `selector[${index}]`;
    const fields = fieldsOf(item, place, ["key", "operator", "values"], problems);
    const { key } = fields;
    if (typeof key !== "string") problems.push(`${place}.key must be the name of a label`);
    const operator = operatorNames.find((name) => name === fields["operator"]);
    if (operator === undefined) {
      problems.push(`${place}.operator must be one of ${operatorNames.join(", ")}`);
    }
    const values: unknown = fields["values"] ?? [];
    if (!Array.isArray(values) || values.some((one) => typeof one !== "string")) {
      problems.push(`${place}.values must be a list of texts: put quotes around numbers`);
      return [];
    }
    return typeof key === "string" && operator !== undefined ? [{ key, operator, values }] : [];
  });
}

/** A settings file that says all of it. */
export function renderSettings(settings: PipelineSettings): string {
  const { description, selector, logLevel, limits } = settings;
  return stringify(
    {
      ...(description !== undefined && { description }),
      ...(selector !== undefined && { selector }),
      ...(logLevel !== undefined && { log_level: logLevel }),
      ...(limits !== undefined && {
        limits: { memory_mib: limits.memoryMib, cpu_cores: limits.cpuCores },
      }),
    },
    { lineWidth: 0 },
  );
}
