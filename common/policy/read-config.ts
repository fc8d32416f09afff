import { isMap, isScalar, visit, type Document } from "yaml";
import { readDocument } from "../yaml-document.ts";
import type { HostPolicy } from "./policy.ts";
import { checkPolicy } from "./check-policy.ts";
import type { PolicyProblem } from "./place-rules.ts";
import type { HostFiles } from "./paths.ts";

/** A configuration's text, read once for any number of policies. */
export interface ReadConfig {
  readonly config: unknown;
  /** What breaks every policy. */
  readonly problems: readonly PolicyProblem[];
}

/**
 * Finds everything in a configuration's text that a policy does not allow. Besides what `checkPolicy` finds:
 * references that could change the shape of the text when they are filled in, and tags.
 */
export function checkConfigText(
  policy: HostPolicy,
  configYaml: string,
  files: HostFiles = {},
): readonly PolicyProblem[] {
  const { config, problems } = readConfig(configYaml);
  return [...problems, ...checkPolicy(policy, config, files)];
}

/** Reads a text for `checkPolicy`. Never throws: what cannot be read is a problem. */
export function readConfig(configYaml: string): ReadConfig {
  const broken = (message: string): ReadConfig => ({
    config: {},
    problems: [whole("components", message)],
  });
  const read = readDocument(configYaml);
  if (read.kind === "unreadable") {
    return broken(`it cannot be read: ${read.problems[0]?.split("\n", 1)[0]}`);
  }
  const { document } = read;
  if (document.contents !== null && !isMap(document.contents)) {
    return broken("it is not a map of sections");
  }
  const tags =
    document.warnings.length > 0 ? [whole("components", "it has tags that cannot be judged")] : [];
  const variables = /\$\{[\w.]+:?-/.test(configYaml)
    ? [whole("references", "variables with a default can change what a configuration does")]
    : [];
  try {
    const problems = [...tags, ...variables, ...loosePlaces(document)];
    return { config: document.toJS() as unknown, problems };
  } catch (error) {
    // Aliases without an anchor, or too many of them.
    return broken(`it cannot be unfolded: ${error instanceof Error ? error.message : ""}`);
  }
}

function whole(rule: string, message: string): PolicyProblem {
  return { rule, componentId: "", field: "", message };
}

/**
 * Vector pastes what a backend of the configuration's own gives into the text. Where it stands without double
 * quotes, a value could end the scalar and begin options of its own. What comes with a pipeline is pasted by the
 * agent, which sees to the quotes itself.
 */
function loosePlaces(document: Document): readonly PolicyProblem[] {
  const problems: PolicyProblem[] = [];
  const backends = document.get("secret");
  const own = isMap(backends) ? backends.items.map(({ key }) => `SECRET[${String(key)}.`) : [];
  visit(document, {
    Scalar(key, node, ancestors) {
      const text = node.value;
      if (typeof text !== "string" || !own.some((start) => text.includes(start))) return;
      if (node.type === "QUOTE_DOUBLE" && key !== "key") return;
      if (node.type === "BLOCK_LITERAL" || node.type === "BLOCK_FOLDED") return;
      const names = ancestors.flatMap((pair) =>
        "key" in pair && isScalar(pair.key) ? [String(pair.key.value)] : [],
      );
      problems.push({
        rule: "references",
        componentId: names[1] ?? "",
        field: names.slice(2).join("."),
        message: "a reference to a secret must stand in double quotes",
      });
    },
  });
  return problems;
}
