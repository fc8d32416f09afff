import { isDeepStrictEqual } from "node:util";
import { resourceOf } from "./config-check.ts";
import { at, type Component, type Config } from "./config.ts";

/** What a reload does to the components. The rest keeps running, with its sockets and counters. */
export interface ConfigDiff {
  readonly removed: readonly Component[];
  /** In their old form. */
  readonly changed: readonly Component[];
  /** The changed and the added, in their new form. */
  readonly built: readonly Component[];
}

/** Compares two configs component by component; inputs are part of a component. Pure. */
export function diffConfigs(
  from: readonly Component[],
  to: readonly Component[],
  alsoChanged: (component: Component) => boolean = () => false,
): ConfigDiff {
  const key = ({ kind, id }: Component): string => `${kind} ${id}`;
  const old = new Map(from.map((component) => [key(component), component]));
  const next = new Map(to.map((component) => [key(component), component]));
  const differs = (component: Component): boolean => {
    const other = next.get(key(component));
    return other !== undefined && (!isDeepStrictEqual(component, other) || alsoChanged(other));
  };
  const changed = from.filter(differs);
  const changedKeys = new Set(changed.map(key));
  return {
    removed: from.filter((component) => !next.has(key(component))),
    changed,
    built: to.filter((component) => !old.has(key(component)) || changedKeys.has(key(component))),
  };
}

/** The way back from `diff`, for a config that could not be built. */
export function flip(diff: ConfigDiff, from: readonly Component[]): ConfigDiff {
  const gone = new Set([...diff.removed, ...diff.changed]);
  const changedIds = new Set(diff.changed.map(({ id }) => id));
  return {
    removed: diff.built.filter(({ id }) => !changedIds.has(id)),
    changed: diff.built.filter(({ id }) => changedIds.has(id)),
    built: from.filter((component) => gone.has(component)),
  };
}

/**
 * The global options that differ, or undefined when none does. As in Vector, those that only `to`
 * has are not named: the list can be empty.
 */
export function changedGlobals(from: Config, to: Config): readonly string[] | undefined {
  if (isDeepStrictEqual(from.globals, to.globals)) return undefined;
  return Object.keys(from.globals).filter(
    (name) => !isDeepStrictEqual(from.globals[name], to.globals[name]),
  );
}

/** Whether the changed sink's new form takes over the queue of the old one. */
export function keepsBuffer(old: Component, next: Component | undefined): boolean {
  return (
    next !== undefined && isDeepStrictEqual(at(old.options, "buffer"), at(next.options, "buffer"))
  );
}

/** Whether `old` holds something (a port) that one of the new components needs. */
export function blocksNew(old: Component, built: readonly Component[]): boolean {
  const resource = resourceOf(old);
  return resource !== undefined && built.some((component) => resourceOf(component) === resource);
}
