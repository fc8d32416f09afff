import type { Kind } from "./catalogue.ts";

export type Options = Readonly<Record<string, unknown>>;

export interface Component {
  readonly id: string;
  readonly kind: Kind;
  readonly type: string;
  /** Output ids (`id` or `id.port`), wildcards expanded. Empty for a source. */
  readonly inputs: readonly string[];
  /** Everything but `type` and `inputs`. */
  readonly options: Options;
}

/** A config that passed all checks. */
export interface Config {
  readonly components: readonly Component[];
  /** The options that a reload cannot change. */
  readonly globals: Options;
  readonly dataDir: string;
  readonly api: { readonly enabled: boolean; readonly address: string };
  readonly healthchecks: { readonly enabled: boolean; readonly requireHealthy: boolean };
  /** The raw text of all files, for the faults asked for in comments. */
  readonly text: string;
}

export type Loaded<T> =
  | { readonly kind: "ok"; readonly value: T }
  | { readonly kind: "failed"; readonly errors: readonly string[] };

export const failed = (...errors: readonly string[]): Loaded<never> => ({ kind: "failed", errors });
export const ok = <T>(value: T): Loaded<T> => ({ kind: "ok", value });

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a dotted path, or undefined. */
export function at(options: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (isRecord(value) ? value[key] : undefined), options);
}

export function text(options: Options, path: string): string | undefined {
  const value = at(options, path);
  return typeof value === "string" ? value : undefined;
}

export function number(options: Options, path: string, fallback: number): number {
  const value = at(options, path);
  return typeof value === "number" ? value : fallback;
}

export function bool(options: Options, path: string, fallback: boolean): boolean {
  const value = at(options, path);
  return typeof value === "boolean" ? value : fallback;
}

export function strings(options: Options, path: string): readonly string[] {
  const value = at(options, path);
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
