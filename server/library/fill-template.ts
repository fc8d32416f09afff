import type { FieldViolations } from "../errors.ts";
import type { Catalogue } from "../configuration/catalogue.ts";
import { fillPlaceholders } from "../configuration/placeholders.ts";
import { namePattern } from "../secrets/references.ts";
import type { TemplateParameter } from "./template.entity.ts";

/**
 * The text of a pipeline from a template: each `PARAM[name]` becomes its value, or its default, with the type that the
 * option takes; secrets become references. Adds a violation for every value that cannot be used. Pure.
 */
export function fillTemplate(
  template: { readonly yaml: string; readonly parameters: readonly TemplateParameter[] },
  values: Readonly<Record<string, string>>,
  catalogue: Catalogue,
  violations: FieldViolations,
): string {
  const { yaml, parameters } = template;
  const known = new Map(parameters.map((parameter) => [parameter.name, parameter]));
  for (const name of Object.keys(values)) {
    if (!known.has(name)) violations.add(`values.${name}`, "is no parameter of this template");
  }
  const filled = new Map<string, string>();
  for (const parameter of parameters) {
    const given = Object.hasOwn(values, parameter.name) ? values[parameter.name] : undefined;
    const value = given === undefined || given === "" ? parameter.default : given;
    const problem = problemOf(parameter, value);
    if (problem !== undefined) violations.add(`values.${parameter.name}`, problem);
    const isSecret = parameter.type === "secret" && value !== "";
    filled.set(parameter.name, isSecret ? `SECRET[${value}]` : value);
  }
  return fillPlaceholders(yaml, "PARAM", (name) => filled.get(name), catalogue)?.text ?? yaml;
}

/** What is wrong with a value for a parameter. */
export function problemOf(parameter: TemplateParameter, value: string): string | undefined {
  if (value === "") return parameter.required ? "is required" : undefined;
  if (value.length > 4096) return "must have at most 4096 characters";
  if (/[\p{Cc}\u2028\u2029]/u.test(value)) return "must be one line without control characters";
  switch (parameter.type) {
    case "number":
      // A variable may give it later.
      return /^-?\d{1,15}(?:\.\d{1,15})?$|^VAR\[[^\]]+\]$/.test(value)
        ? undefined
        : "must be a number";
    case "boolean":
      return /^(?:true|false|VAR\[[^\]]+\])$/.test(value) ? undefined : "must be true or false";
    case "secret":
      return namePattern.test(value) ? undefined : "must be the name of a secret";
    default:
      return undefined;
  }
}
