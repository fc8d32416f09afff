import { escapeForYaml } from "./yaml-escape.ts";

/** Shorter texts occur by themselves everywhere; masking them would hide words and say nothing. */
const shortestMasked = 4;
/** A line of a value with several lines, such as a key in PEM, is masked by itself from here on. */
const shortestLine = 16;

/**
 * Replaces the values of secrets in texts that leave the host: Vector quotes values in its errors, and
 * a pipeline may write them to its log (X4).
 */
export class SecretMask {
  #replacements: readonly (readonly [text: string, mask: string])[];

  constructor(secrets: ReadonlyMap<string, string>) {
    const replacements = new Map<string, string>();
    for (const [name, value] of secrets) {
      const lines = value.split(/\r?\n/).filter((line) => line.length >= shortestLine);
      for (const part of [value, value.trim(), ...lines]) {
        if (part.length < shortestMasked) continue;
        for (const form of [part, escapeForYaml(part), encodeURIComponent(part)]) {
          replacements.set(form, `[secret ${name}]`);
        }
      }
    }
    this.#replacements = longestFirst(replacements);
  }

  /** Masks what either of two masks. */
  static of(a: SecretMask, b: SecretMask): SecretMask {
    const both = new SecretMask(new Map());
    both.#replacements = longestFirst(new Map([...a.#replacements, ...b.#replacements]));
    return both;
  }

  apply(text: string): string {
    let masked = text;
    for (const [part, mask] of this.#replacements) {
      if (masked.includes(part)) masked = masked.replaceAll(part, () => mask);
    }
    return masked;
  }
}

/** A value that is part of another must not break the longer one. */
function longestFirst(
  replacements: ReadonlyMap<string, string>,
): readonly (readonly [text: string, mask: string])[] {
  return [...replacements].toSorted(([a], [b]) => b.length - a.length);
}
