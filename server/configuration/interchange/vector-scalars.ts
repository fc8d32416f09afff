/** How Vector reads a plain scalar where the parser of this project reads it otherwise. */
export type VectorReading =
  | { readonly kind: "text" }
  | { readonly kind: "integer"; readonly value: bigint };

const leadingZeros = /^[-+]?0[0-9]+$/;
const signedOrBinary = /^([-+]?)(0x[0-9a-fA-F]+|0o[0-7]+|0b[01]+)$/;
const coreInteger = /^0[xo]/;

/**
 * Tells what Vector makes of a plain scalar of YAML, or undefined when both agree. `0123` is a text to Vector, `0b11`
 * and `-0x10` are integers; all were tried with a real one. Pure.
 */
export function vectorReading(source: string): VectorReading | undefined {
  if (leadingZeros.test(source)) return { kind: "text" };
  const found = signedOrBinary.exec(source);
  if (found === null || coreInteger.test(source)) return undefined;
  const [, sign, digits = ""] = found;
  const value = BigInt(digits);
  return { kind: "integer", value: sign === "-" ? -value : value };
}
