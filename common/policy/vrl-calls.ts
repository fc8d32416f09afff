const spaces = /[\s]*(?:#[^\n]*(?:\n|$)\s*)*/y;

/**
 * Names of the functions that a VRL program calls. Strings, comments and fields do not count; a blank or a
 * comment before the parenthesis hides nothing.
 */
export function calledFunctions(program: string): ReadonlySet<string> {
  const calls = new Set<string>();
  let at = 0;
  const skip = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from;
    return pattern.test(program) ? pattern.lastIndex : from;
  };
  while (at < program.length) {
    const char = program.charAt(at);
    if (char === "#") {
      const end = program.indexOf("\n", at);
      at = end === -1 ? program.length : end;
    } else if (char === '"') {
      at = endOfString(program, at + 1, '"');
    } else if (/[srt]/.test(char) && program.charAt(at + 1) === "'") {
      at = endOfString(program, at + 2, "'");
    } else if (/[\w@%.]/.test(char)) {
      const end = skip(/[\w@%.]+/y, at);
      const name = program.slice(at, end);
      const bang = skip(/!?/y, skip(spaces, end));
      if (/^[A-Za-z_]\w*$/.test(name) && program.charAt(skip(spaces, bang)) === "(")
        calls.add(name);
      at = end;
    } else {
      at += 1;
    }
  }
  return calls;
}

function endOfString(program: string, from: number, quote: string): number {
  for (let at = from; at < program.length; at += 1) {
    if (program.charAt(at) === "\\") at += 1;
    else if (program.charAt(at) === quote) return at + 1;
  }
  return program.length;
}

/** Functions that read a file which the program names. */
export const fileFunctions = [
  "decode_proto",
  "encode_proto",
  "parse_etld",
  "parse_groks",
  "parse_proto",
  "validate_json_schema",
] as const;

/** Functions that talk to another host. */
export const networkFunctions = ["dns_lookup", "http_request", "reverse_dns"] as const;
