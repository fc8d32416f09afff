import type { Kind, OptionFacts } from "../configuration/catalogue.ts";

/** What a schema tells of an option. */
export type SchemaOption = Pick<OptionFacts, "path" | "type" | "default" | "enum" | "required">;

/** The options of each component of a schema, by `kind/type` and by path. */
export type SchemaComponents = ReadonlyMap<string, ReadonlyMap<string, SchemaOption>>;

interface SchemaNode {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly allOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly anyOf?: readonly SchemaNode[];
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly required?: readonly string[];
  readonly _metadata?: Readonly<Record<string, unknown>>;
}

const unions = {
  source: "vector::sources::Sources",
  transform: "vector::transforms::Transforms",
  sink: "vector::sinks::Sinks",
} satisfies Record<Kind, string>;

/** A schema of a Vector that refers to itself without end, or is no such schema, costs no more than this. */
const maximumNodes = 200_000;
const maximumDepth = 60;

/**
 * Reads what `vector generate-schema` writes: which components there are, and their options by path, in the notation of
 * the catalogue. Options that Vector hides are left out.
 */
export function readSchema(schema: unknown): SchemaComponents {
  const { definitions = {} } = schema as { definitions?: Readonly<Record<string, SchemaNode>> };
  let budget = maximumNodes;
  const resolve = ({ $ref }: SchemaNode): SchemaNode | undefined =>
    $ref === undefined
      ? undefined
      : definitions[decodeURIComponent($ref.slice("#/definitions/".length)).replaceAll("~1", "/")];

  const visit = (
    node: SchemaNode,
    prefix: string,
    into: Map<string, SchemaOption>,
    trail: readonly SchemaNode[],
  ): void => {
    budget -= 1;
    if (budget < 0 || trail.length > maximumDepth || trail.includes(node)) return;
    const inside = [...trail, node];
    const target = resolve(node);
    if (target !== undefined) visit(target, prefix, into, inside);
    for (const part of [node.allOf, node.oneOf, node.anyOf]) {
      for (const child of part ?? []) visit(child, prefix, into, inside);
    }
    for (const [name, child] of Object.entries(node.properties ?? {})) {
      if (child._metadata?.["docs::hidden"] !== undefined) continue;
      const path = prefix === "" ? name : `${prefix}.${name}`;
      into.set(path, merged(into.get(path), describe(path, name, child, node, resolve)));
      visit(child, path, into, inside);
    }
    if (typeof node.additionalProperties === "object") {
      const path = `${prefix}.*`;
      if (prefix !== "")
        into.set(path, describe(path, "*", node.additionalProperties, node, resolve));
      visit(node.additionalProperties, path, into, inside);
    }
    if (node.items !== undefined) visit(node.items, `${prefix}[]`, into, inside);
  };

  const components = new Map<string, ReadonlyMap<string, SchemaOption>>();
  for (const [kind, union] of Object.entries(unions)) {
    for (const variant of definitions[union]?.oneOf ?? []) {
      const type = variant.allOf?.flatMap(({ properties }) => {
        const name = properties?.["type"]?.const;
        return typeof name === "string" ? [name] : [];
      })[0];
      if (type === undefined || type.startsWith("unit_test")) continue;
      const options = new Map<string, SchemaOption>();
      visit(variant, "", options, []);
      options.delete("type");
      components.set(`${kind}/${type}`, options);
    }
  }
  return components;
}

/** An option that stands in several arms of a union has the values of all of them, and any that one leaves open. */
function merged(before: SchemaOption | undefined, option: SchemaOption): SchemaOption {
  if (before === undefined) return option;
  const { enum: _values, ...rest } = before;
  if (before.enum === undefined || option.enum === undefined) return rest;
  return { ...rest, enum: [...new Set([...before.enum, ...option.enum])] };
}

function describe(
  path: string,
  name: string,
  node: SchemaNode,
  parent: SchemaNode,
  resolve: (node: SchemaNode) => SchemaNode | undefined,
): SchemaOption {
  const variants = node.oneOf ?? resolve(node)?.oneOf ?? [];
  const consts = [node, ...variants].map((variant) => variant.const);
  const values = consts.filter((value) => typeof value === "string");
  // Where one variant is free, the values of the others are no limit.
  const isFree = variants.some(({ const: value, type }) => value === undefined && type !== "null");
  const type = typeOf(node, resolve) ?? (values.length > 0 ? "string" : "object");
  return {
    path,
    type,
    required: parent.required?.includes(name) === true,
    ...(node.default === undefined || node.default === null ? {} : { default: node.default }),
    ...(values.length === 0 || isFree ? {} : { enum: values }),
  };
}

function typeOf(
  node: SchemaNode,
  resolve: (node: SchemaNode) => SchemaNode | undefined,
  depth = 0,
): string | undefined {
  if (depth > 8) return undefined;
  const types = (typeof node.type === "string" ? [node.type] : (node.type ?? [])).filter(
    (type) => type !== "null",
  );
  const numeric = node._metadata?.["docs::numeric_type"];
  const [type] = types;
  if (type === "array") {
    const item = node.items && typeOf(node.items, resolve, depth + 1);
    return `array<${item ?? "object"}>`;
  }
  if (type === "number" || type === "integer") {
    return typeof numeric === "string" ? numeric : type === "integer" ? "int" : "float";
  }
  if (type !== undefined) return type === "boolean" ? "bool" : type;
  const target = resolve(node);
  const inner = [
    ...(target === undefined ? [] : [target]),
    ...(node.allOf ?? []),
    ...(node.oneOf ?? []),
  ];
  for (const child of inner) {
    const found = typeOf(child, resolve, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
