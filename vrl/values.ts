/**
 * A value of the language as JSON can hold it, with nothing lost. A number is an integer. What JSON has no word for is an
 * object with one member:
 *
 * - `{"$float": "1.0"}`: each float, since 1 and 1.0 are the same number to JavaScript; `inf` and `-inf` too
 * - `{"$integer": "9007199254740993"}`: an integer that is not exact as a number of JavaScript
 * - `{"$date": "2026-01-02T03:04:05.678Z"}`: a timestamp, to the nanosecond
 * - `{"$bytes": "/w=="}`: bytes that are no UTF-8, in base64
 * - `{"$regex": "^a"}`: a regular expression
 * - `{"$object": {"$date": "x"}}`: an object whose only field is really named like one of these
 *
 * The module refuses any other content of these. People get `plainJson` to see.
 */
export type VrlValue =
  | string
  | number
  | boolean
  | null
  | readonly VrlValue[]
  | { readonly [key: string]: VrlValue };

/** The fields of an object, by their names. */
export type VrlFields = Readonly<Record<string, VrlValue>>;

const forms = new Set(["$bytes", "$date", "$float", "$integer", "$object", "$regex"]);

const largestInteger = 2n ** 63n - 1n;
const smallestInteger = -(2n ** 63n);

/** An integer. One that Vector cannot hold is a float, as it is to Vector's reader of JSON. */
export function vrlInteger(value: bigint): VrlValue {
  if (value > largestInteger || value < smallestInteger) return { $float: String(value) };
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : { $integer: String(value) };
}

export function vrlFloat(value: number): VrlValue {
  if (Number.isFinite(value)) return { $float: Object.is(value, -0) ? "-0.0" : String(value) };
  return { $float: value > 0 ? "inf" : "-inf" };
}

export function vrlObject(fields: VrlFields): VrlValue {
  return formOf(fields) === undefined ? fields : { $object: fields };
}

/** The fields of a value; undefined for what is no object. */
export function vrlFields(value: VrlValue): VrlFields | undefined {
  if (!isMap(value)) return undefined;
  const form = formOf(value);
  if (form === undefined) return value;
  const content = value["$object"];
  return form === "$object" && content !== undefined && isMap(content) ? content : undefined;
}

/** What JSON has no word for, by its form; undefined for all other values. */
export function vrlForm(
  value: VrlValue,
): { readonly form: string; readonly text: string } | undefined {
  if (!isMap(value)) return undefined;
  const form = formOf(value);
  const text = form === undefined ? undefined : value[form];
  return form === undefined || typeof text !== "string" ? undefined : { form, text };
}

function isMap(value: VrlValue): value is VrlFields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function formOf(fields: VrlFields): string | undefined {
  const names = Object.keys(fields);
  const [only = ""] = names;
  return names.length === 1 && forms.has(only) ? only : undefined;
}

type Reviver = (key: string, value: VrlValue, context: { readonly source?: string }) => VrlValue;

/** The type library does not know yet that a reviver is given the text of numbers. */
const parseWithSource = JSON.parse as (text: string, reviver: Reviver) => VrlValue;

/** Reads JSON as Vector does: 1.0 is a float, and 1 is none. Throws a SyntaxError. */
export function parseVrlJson(json: string): VrlValue {
  return parseWithSource(json, (_key, value, { source = "" }) => {
    if (typeof value !== "number") return isMap(value) ? vrlObject(value) : value;
    return /^-?\d+$/.test(source) && source !== "-0"
      ? vrlInteger(BigInt(source))
      : { $float: source };
  });
}

/**
 * A value as JSON for people, as Vector writes it: timestamps are texts, and floats keep their point. The order of
 * fields says nothing, so that they are sorted: the same value is the same text.
 */
export function plainJson(value: VrlValue): string {
  if (Array.isArray(value)) return `[${value.map((item: VrlValue) => plainJson(item)).join(",")}]`;
  const fields = vrlFields(value);
  if (fields !== undefined) {
    const members = Object.entries(fields)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, member]) => `${JSON.stringify(name)}:${plainJson(member)}`);
    return `{${members.join(",")}}`;
  }
  const special = vrlForm(value);
  if (special === undefined) return JSON.stringify(value);
  const { form, text } = special;
  if (form === "$float") return plainFloat(Number(text));
  if (form === "$integer") return text;
  return JSON.stringify(form === "$bytes" ? decodeBytes(text) : text);
}

function plainFloat(value: number): string {
  // JSON has no infinity.
  if (!Number.isFinite(value)) return "null";
  const digits = Object.is(value, -0) ? "-0" : String(value);
  return /[.e]/.test(digits) ? digits : `${digits}.0`;
}

/** Bytes as text, as Vector shows them: what is no UTF-8 is replaced. */
export function decodeBytes(base64: string): string {
  return new TextDecoder().decode(Uint8Array.fromBase64(base64));
}
