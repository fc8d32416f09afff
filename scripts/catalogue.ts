import { parse } from "yaml";
import type { CatalogueFile, Descriptions } from "../server/configuration/catalogue.ts";

/** The catalogue with descriptions. Throws when one describes what does not exist, or too few are described. */
export function describeCatalogue(facts: CatalogueFile, text: string): CatalogueFile {
  // The file is part of the repository; what it says is checked below.
  const descriptions = parse(text) as Descriptions;
  const paths = (kind: keyof CatalogueFile["common_options"], type?: string): readonly string[] => [
    ...facts.common_options[kind].map(({ path }) => path),
    ...facts.components
      .filter((component) => component.kind === kind && (type ?? component.type) === component.type)
      .flatMap(({ options }) => options.map(({ path }) => path)),
  ];
  const all = new Set((["source", "transform", "sink"] as const).flatMap((kind) => paths(kind)));
  const wrong = Object.keys(descriptions.shared).filter((path) => !all.has(path));
  for (const [name, { options = {} }] of Object.entries(descriptions.components)) {
    const component = facts.components.find(({ kind, type }) => `${kind}/${type}` === name);
    if (component === undefined) {
      wrong.push(name);
      continue;
    }
    const own = new Set(paths(component.kind, component.type));
    wrong.push(
      ...Object.keys(options).flatMap((path) => (own.has(path) ? [] : [`${name} ${path}`])),
    );
  }
  if (wrong.length > 0) throw new Error(`described, but not in the catalogue: ${wrong.join(", ")}`);
  const count = Object.keys(descriptions.components).length;
  if (count < 40) throw new Error(`only ${count} components are described`);
  return { ...facts, descriptions };
}
