// Characters that JSON leaves as they are and YAML 1.1 takes for line breaks or refuses.
// oxlint-disable-next-line no-control-regex -- control characters are what this is about
const notInYaml = /[\u007f-\u009f\u2028\u2029\ufeff]/g;

/**
 * Escapes a value for the inside of a double-quoted YAML scalar: Vector pastes secrets into its
 * configuration as text and parses the result.
 */
export function escapeForYaml(value: string): string {
  return JSON.stringify(value.toWellFormed())
    .slice(1, -1)
    .replaceAll(notInYaml, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** Whether YAML reads the value, written without quotes, as a number or a boolean. */
export function isNumberOrBoolean(value: string): boolean {
  return /^(?:[-+]?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false)$/.test(value);
}
