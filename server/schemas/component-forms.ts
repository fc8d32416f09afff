import { kinds, type Catalogue, type Kind, type OptionFacts } from "../configuration/catalogue.ts";
import { notFound } from "../errors.ts";
import type { VersionDifference } from "./version-difference.ts";
import type { VersionsInUse } from "./versions-in-use.ts";

/** A type of component, for the versions of an environment. */
export interface ComponentType {
  readonly kind: Kind;
  readonly type: string;
  readonly title: string;
  readonly description: string;
  readonly beta: boolean;
  /** The versions that have no such type, lowest first. */
  readonly lackingIn: readonly string[];
}

export interface FormOption extends OptionFacts {
  readonly description: string;
  readonly lackingIn: readonly string[];
}

export interface ComponentForm {
  readonly type: ComponentType;
  readonly options: readonly FormOption[];
}

/** All types: those that the product knows, and what versions among the hosts add. */
export function componentTypes(
  catalogue: Catalogue,
  versions: VersionsInUse,
): readonly ComponentType[] {
  const known = kinds.flatMap((kind) =>
    catalogue.types(kind).map((type) => componentType(kind, type, catalogue, versions)),
  );
  const added = new Set(versions.differences.flatMap(({ addsTypes }) => addsTypes));
  return [...known, ...[...added].map((name) => addedType(name, catalogue, versions))].filter(
    (type) => type !== undefined,
  );
}

function componentType(
  kind: Kind,
  type: string,
  catalogue: Catalogue,
  versions: VersionsInUse,
): ComponentType | undefined {
  const facts = catalogue.component(kind, type);
  if (facts === undefined) return undefined;
  return {
    kind,
    type,
    title: facts.title,
    description: catalogue.describe(facts),
    beta: facts.status === "beta",
    lackingIn: versionsWhere(versions, ({ lacksTypes }) => lacksTypes.includes(`${kind}/${type}`)),
  };
}

function addedType(
  name: string,
  catalogue: Catalogue,
  versions: VersionsInUse,
): ComponentType | undefined {
  const kind = kinds.find((candidate) => name.startsWith(`${candidate}/`));
  if (kind === undefined) return undefined;
  const type = name.slice(kind.length + 1);
  return {
    kind,
    type,
    title: type,
    description: "",
    beta: false,
    lackingIn: versionsWithout(versions, catalogue, ({ addsTypes }) => addsTypes.includes(name)),
  };
}

/** Throws `not_found` when no version has the type. */
export function componentForm(
  kind: Kind,
  type: string,
  catalogue: Catalogue,
  versions: VersionsInUse,
): ComponentForm {
  const name = `${kind}/${type}`;
  const facts = catalogue.component(kind, type);
  const found =
    componentType(kind, type, catalogue, versions) ??
    componentTypes(catalogue, versions).find((other) => other.kind === kind && other.type === type);
  if (found === undefined) throw notFound("component type", name);
  const all = facts === undefined ? [] : catalogue.options(facts);
  const known = new Set(all.map(({ path }) => path));
  const own = all.filter(({ hidden }) => hidden !== true);
  const added = new Map(
    versions.differences
      .flatMap(({ addsOptions }) => addsOptions[name] ?? [])
      .map((option) => [option.path, option]),
  );
  const options = [
    ...own.map((option) => ({
      ...option,
      description: facts === undefined ? "" : catalogue.describe(facts, option.path),
      lackingIn: versionsWhere(versions, ({ lacksOptions }) =>
        (lacksOptions[name] ?? []).some(
          (path) => option.path === path || option.path.startsWith(`${path}.`),
        ),
      ),
    })),
    ...[...added.values()]
      .filter(({ path }) => !known.has(path))
      .map((option) => ({
        ...option,
        description: "",
        lackingIn: versionsWithout(versions, catalogue, ({ addsOptions }) =>
          (addsOptions[name] ?? []).some(({ path }) => path === option.path),
        ),
      })),
  ];
  return {
    type: found,
    options: options.toSorted((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0)),
  };
}

function versionsWhere(
  { differences }: VersionsInUse,
  lacks: (difference: VersionDifference) => boolean,
): readonly string[] {
  return differences.filter(lacks).map(({ version }) => version);
}

/** The versions that do not have what only some add: also those that are taken for the one that the product knows. */
function versionsWithout(
  { present, differences }: VersionsInUse,
  catalogue: Catalogue,
  adds: (difference: VersionDifference) => boolean,
): readonly string[] {
  const having = new Set(differences.filter(adds).map(({ version }) => version));
  const all = present.length === 0 ? [catalogue.vectorVersion] : present;
  return all.filter((version) => !having.has(version));
}
