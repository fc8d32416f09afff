import type { VersionDifference } from "../../schemas/version-difference.ts";
import type { VersionsInUse } from "../../schemas/versions-in-use.ts";
import { kinds, type Catalogue, type ComponentFacts, type OptionFacts } from "../catalogue.ts";
import { checkBuffer } from "./check-buffer.ts";
import { checkOptions, closest } from "./check-options.ts";
import type { Report } from "./check.ts";
import { isRecord, type GraphComponent, type ParsedText } from "../graph.ts";
import { rewriteValue } from "../edit/text-edits.ts";
import { asFix, fixesOf, isAsWritten } from "./option-fixes.ts";

/**
 * Checks the type and the options of a component: by what the product knows, and by the lowest version of Vector among
 * the hosts where that differs.
 */
export function checkComponent(
  text: string,
  parsed: ParsedText,
  component: GraphComponent,
  catalogue: Catalogue,
  versions: VersionsInUse | undefined,
  report: Report,
): void {
  if (component.type === "") return;
  const name = `${component.kind}/${component.type}`;
  const what = `${component.kind} ${component.type}`;
  const { lowest, difference } = lowestOf(versions, catalogue);
  const facts = catalogue.component(component.kind, component.type);
  const added = versions?.differences.find(({ addsTypes }) => addsTypes.includes(name));
  if (facts === undefined) {
    if (difference?.addsTypes.includes(name)) return;
    if (added === undefined) unknownType(text, parsed, component, catalogue, report);
    else report(component, ["type"], `${lacks(lowest, what)}; ${added.version} has it`);
    return;
  }
  if (difference?.lacksTypes.includes(name)) report(component, ["type"], lacks(lowest, what));
  const options = optionsFor(facts, difference, catalogue);
  const config =
    component.kind === "source"
      ? component.config
      : { inputs: component.inputs, ...component.config };
  for (const problem of checkOptions(config, options, facts.strict)) {
    if (!isAsWritten(text, parsed, component.key, problem)) continue;
    const has =
      problem.unknown === true &&
      versions?.differences.find(({ addsOptions }) =>
        addsOptions[name]?.some(({ path }) => path === pathText(problem.path)),
      );
    if (has) {
      const message = `${lacks(lowest, `option ${pathText(problem.path)}`)}; ${has.version} has it`;
      report(component, problem.path, message);
    } else {
      const fixes = fixesOf(text, parsed, component.key, problem);
      report(component, problem.path, problem.message, problem.severity, fixes);
    }
  }
  if (component.kind === "sink") checkBuffer(component, report);
  for (const path of difference?.lacksOptions[name] ?? []) {
    for (const place of placesOf(component.config, path.split("."))) {
      report(component, place, lacks(lowest, `option ${path}`));
    }
  }
  checkValues(component, difference?.lacksValues[name] ?? {}, lowest, report);
}

const withDifference = new WeakMap<VersionDifference, Map<string, readonly OptionFacts[]>>();

/** The options of a component for a version: with those that only it has, and none required that it lacks. */
function optionsFor(
  facts: ComponentFacts,
  difference: VersionDifference | undefined,
  catalogue: Catalogue,
): readonly OptionFacts[] {
  const own = catalogue.options(facts);
  const name = `${facts.kind}/${facts.type}`;
  const { [name]: added = [] } = difference?.addsOptions ?? {};
  const { [name]: lacking = [] } = difference?.lacksOptions ?? {};
  if (difference === undefined || added.length + lacking.length === 0) return own;
  const made = withDifference.get(difference) ?? new Map<string, readonly OptionFacts[]>();
  withDifference.set(difference, made);
  const known = made.get(name);
  if (known !== undefined) return known;
  const options = [
    ...own.map((option) => (lacking.includes(option.path) ? notNeeded(option) : option)),
    ...added.map((option) => ({ ...option, required: false })),
  ];
  made.set(name, options);
  return options;
}

function notNeeded(option: OptionFacts): OptionFacts {
  const { required: _, required_when: _when, one_of: _of, ...rest } = option;
  return rest;
}

function checkValues(
  component: GraphComponent,
  lacking: Readonly<Record<string, readonly string[]>>,
  lowest: string,
  report: Report,
): void {
  for (const [path, values] of Object.entries(lacking)) {
    for (const place of placesOf(component.config, path.split("."))) {
      const value = place.reduce<unknown>(
        (at, step) => (Array.isArray(at) || isRecord(at) ? Reflect.get(at, step) : undefined),
        component.config,
      );
      if (typeof value === "string" && values.includes(value)) {
        report(component, place, lacks(lowest, `value ${value} for ${path}`));
      }
    }
  }
}

/** The lowest version among the hosts, and how it differs from what the product knows, if its schema is known. */
function lowestOf(
  versions: VersionsInUse | undefined,
  catalogue: Catalogue,
): { readonly lowest: string; readonly difference: VersionDifference | undefined } {
  const lowest = versions?.present[0] ?? catalogue.vectorVersion;
  return {
    lowest,
    difference: versions?.differences.find(({ version }) => version === lowest),
  };
}

function lacks(version: string, what: string): string {
  return `Vector ${version}, the lowest version on the hosts here, has no ${what}`;
}

function unknownType(
  text: string,
  parsed: ParsedText,
  component: GraphComponent,
  catalogue: Catalogue,
  report: Report,
): void {
  const { key, kind, type } = component;
  const other = kinds.find((candidate) => catalogue.component(candidate, type) !== undefined);
  const close = other === undefined ? closest(type, catalogue.types(kind)) : undefined;
  const hint =
    other !== undefined
      ? `; ${type} is a ${other}`
      : close === undefined
        ? ""
        : `; did you mean ${close}?`;
  const fixes =
    close === undefined
      ? []
      : asFix(`Make it ${close}`, rewriteValue(text, parsed, key, ["type"], close));
  report(component, ["type"], `there is no ${kind} of type ${type}${hint}`, "error", fixes);
}

/** A place as the catalogue writes paths. */
function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>(
    (before, step) =>
      typeof step === "number" ? `${before}[]` : before === "" ? step : `${before}.${step}`,
    "",
  );
}

/** The places of a configuration that a path of the catalogue means. */
function placesOf(
  value: unknown,
  [step, ...more]: readonly string[],
  place: readonly (string | number)[] = [],
): readonly (readonly (string | number)[])[] {
  if (step === undefined) return [place];
  if (!isRecord(value)) return [];
  const isList = step.endsWith("[]");
  const name = isList ? step.slice(0, -2) : step;
  return Object.keys(value)
    .filter((key) => name === "*" || key === name)
    .flatMap((key) => {
      const child = value[key];
      if (!isList) return placesOf(child, more, [...place, key]);
      return (Array.isArray(child) ? child : []).flatMap((item: unknown, at) =>
        placesOf(item, more, [...place, key, at]),
      );
    });
}
