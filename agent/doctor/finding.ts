export type Level = "ok" | "warning" | "problem";

/** One thing that was looked at. */
export interface Finding {
  /** A stable name, such as `tls`. */
  readonly id: string;
  readonly level: Level;
  readonly text: string;
  /** What a person does about it; empty when all is well. */
  readonly advice: string;
}

export const ok = (id: string, text: string): Finding => ({ id, level: "ok", text, advice: "" });
export const warning = (id: string, text: string, advice: string): Finding => ({
  id,
  level: "warning",
  text,
  advice,
});
export const problem = (id: string, text: string, advice: string): Finding => ({
  id,
  level: "problem",
  text,
  advice,
});

/** The worst level of all. */
export function worst(findings: readonly Finding[]): Level {
  const levels = new Set(findings.map(({ level }) => level));
  if (levels.has("problem")) return "problem";
  return levels.has("warning") ? "warning" : "ok";
}

/** A table for people; advice is in a line of its own. */
export function formatFindings(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ id }) => id.length));
  return findings
    .map(({ id, level, text, advice }) => {
      const line = `${level.padEnd(8)} ${id.padEnd(width)}  ${text}`;
      return advice === "" ? line : `${line}\n${" ".repeat(width + 11)}→ ${advice}`;
    })
    .join("\n");
}
