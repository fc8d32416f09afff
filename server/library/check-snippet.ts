import type { PipelineCompiler } from "../configuration/compiler.ts";
import { placeholdersIn } from "../configuration/placeholders.ts";
import { referencesIn, type ReferenceKind } from "../secrets/references.ts";

/**
 * What Vector's compiler says against a snippet, one line each. It is compiled within a pipeline, on the compiler's
 * thread with its limits: a program can make the compiler run away.
 */
export async function checkSnippet(
  compiler: PipelineCompiler,
  snippet: { readonly code: string; readonly condition: boolean },
): Promise<readonly string[]> {
  const { code, condition } = snippet;
  const step = condition ? { type: "filter", condition: code } : { type: "remap", source: code };
  // JSON is YAML too, and quotes any text.
  const text = JSON.stringify({
    sources: { in: { type: "demo_logs", format: "json" } },
    transforms: { snippet: { inputs: ["in"], ...step } },
    sinks: { out: { type: "blackhole", inputs: ["snippet"] } },
  });
  // What it refers to is looked for where it is used.
  const namesOf = (kind: ReferenceKind): ReadonlySet<string> =>
    new Set(
      referencesIn(code)
        .filter((reference) => reference.kind === kind)
        .map(({ name }) => name),
    );
  const { problems } = await compiler.compile(text, {
    secretNames: namesOf("secret"),
    certificateNames: namesOf("certificate"),
    variables: new Map(placeholdersIn(code, "VAR").map((name) => [name, "0"])),
  });
  return problems
    .filter(({ severity, componentKey }) => severity === "error" && componentKey === "snippet")
    .map(({ message }) => message);
}
