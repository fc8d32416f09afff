import { isDeepStrictEqual } from "node:util";
import { Document, isMap, isScalar, parseDocument } from "yaml";
import type { GraphComponent, PipelineGraph } from "./graph.ts";
import { isWildcard } from "./ports.ts";
import type { Wiring } from "./wiring.ts";

/**
 * Renders a graph as the configuration that hosts get: top-level options, then sources, transforms and
 * sinks in their order, with the bodies as people wrote them and wildcards in inputs expanded against the
 * pipeline's own components, so that nothing injected later is ever caught by one. Texts are put together
 * as texts, because writing them anew would change numbers and dates that a parser reads otherwise than
 * Vector. The same graph gives the same bytes. Pure.
 */
export function renderConfig(graph: PipelineGraph, wiring: Wiring): string {
  const parts: string[] = [renderGlobals(graph)];
  for (const kind of ["source", "transform", "sink"] as const) {
    const components = graph.components.filter((component) => component.kind === kind);
    if (components.length === 0) continue;
    parts.push(`${kind}s:\n`);
    for (const component of components) {
      const inputs = component.inputs.some(isWildcard) ? wiring.inputs(component) : undefined;
      parts.push(renderComponent(component, inputs));
    }
  }
  return parts.join("");
}

/** The top-level options alone. */
export function renderGlobals({ globalConfig, globalYaml }: PipelineGraph): string {
  if (Object.keys(globalConfig).length === 0) return "";
  const text = globalYaml.endsWith("\n") ? globalYaml : `${globalYaml}\n`;
  // Options between braces have no lines of their own.
  return saysTheSame(text, globalConfig) ? text : write(globalConfig);
}

/** `inputs` replaces the patterns of the body. */
function renderComponent(
  { key, type, inputs: written, config, yaml }: GraphComponent,
  inputs: readonly string[] | undefined,
): string {
  const name = isPlain(key) ? key : JSON.stringify(key);
  const body = inputs === undefined ? yaml : replaceInputs(yaml, inputs);
  const indented = indent(body, name);
  // One without any that are written has none: a source, since for others that is an error.
  const wanted = inputs ?? (written.length > 0 ? written : undefined);
  const value = { type, ...(wanted !== undefined && { inputs: wanted }), ...config };
  if (saysTheSame(indented, { [key]: value })) return indented;
  return indent(write(value), name);
}

/** Whether a name needs no quotes. */
function isPlain(name: string): boolean {
  return /^[A-Za-z_][A-Za-z0-9_.-]*$/.test(name) && !/^(true|false|null)$/i.test(name);
}

function indent(body: string, name: string): string {
  const lines = body.replace(/\n$/, "").split("\n");
  const flow = /^\s*\{/.test(lines.find((line) => !/^\s*(#|$)/.test(line)) ?? "");
  const shifted = lines.map((line) => (line === "" ? line : `    ${line}`)).join("\n");
  return flow && !/^\s*#/.test(body)
    ? `  ${name}: ${shifted.trimStart()}\n`
    : `  ${name}:\n${shifted}\n`;
}

function replaceInputs(yaml: string, inputs: readonly string[]): string {
  const document = parseDocument(yaml, { merge: true });
  if (!isMap(document.contents)) return yaml;
  const pair = document.contents.items.find(({ key }) => isScalar(key) && key.value === "inputs");
  const from = (pair?.key as { range?: readonly number[] } | undefined)?.range?.[1];
  let to = (pair?.value as { range?: readonly number[] } | null | undefined)?.range?.[1];
  if (from === undefined || to === undefined) return yaml;
  while (to > from && /\s/.test(yaml[to - 1] ?? "")) to -= 1;
  const list = inputs.map((input) => (isPlain(input) ? input : JSON.stringify(input))).join(", ");
  return `${yaml.slice(0, from)}: [${list}]${yaml.slice(to)}`;
}

/** Whether a text is read as a value, and by itself. */
function saysTheSame(text: string, value: unknown): boolean {
  try {
    const document = parseDocument(text, { merge: true });
    return (
      document.errors.length === 0 &&
      isDeepStrictEqual(document.toJS({ maxAliasCount: 100 }), value)
    );
  } catch (error) {
    if (error instanceof ReferenceError || error instanceof RangeError) return false;
    throw error;
  }
}

function write(value: unknown): string {
  return new Document(value, { aliasDuplicateObjects: false }).toString({ lineWidth: 0 });
}
