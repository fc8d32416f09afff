import { parse } from "yaml";
import { isReserved } from "../vector/reserved.ts";
import { objectOf } from "../vector/wildcards.ts";

/** What to ask Vector for, to see the events of one component. */
export interface TapTarget {
  /** As it was asked for. */
  readonly componentId: string;
  readonly outputs: readonly string[];
  readonly inputs: readonly string[];
}

export type TapTargets =
  | { readonly kind: "found"; readonly targets: readonly TapTarget[] }
  | { readonly kind: "problem"; readonly problem: string };

export const maxComponents = 10;

/** Ids of all components of the running configuration but those that were injected. */
export function personsComponents(configText: string): readonly string[] {
  const config = objectOf(parse(configText, { merge: true }));
  return ["sources", "transforms", "sinks"]
    .flatMap((section) => Object.keys(objectOf(config[section])))
    .filter((id) => !isReserved(id) && !id.includes(","))
    .map(literally);
}

/** An id as a glob that matches it alone. */
function literally(id: string): string {
  return id.replaceAll(/[*?[\]]/g, "[$&]");
}

/**
 * Finds the components in the running configuration. A source or transform is tapped at all its
 * outputs, or at the one that is named; a sink has none and is tapped at its inputs. What the agent
 * injected does not exist for people.
 */
export function findTargets(configText: string, componentIds: readonly string[]): TapTargets {
  const ids = [...new Set(componentIds)];
  const problem = (text: string): TapTargets => ({ kind: "problem", problem: text });
  if (ids.length === 0) return problem("no component was named");
  if (ids.length > maxComponents) return problem(`more than ${maxComponents} components at once`);
  const config = objectOf(parse(configText, { merge: true }));
  const producers = { ...objectOf(config["sources"]), ...objectOf(config["transforms"]) };
  const sinks = objectOf(config["sinks"]);
  const targets: TapTarget[] = [];
  for (const componentId of ids) {
    const [owner = ""] = componentId.split(".", 1);
    const exists = !isReserved(componentId) && !componentId.includes(",");
    const pattern = literally(componentId);
    if (exists && Object.hasOwn(producers, componentId)) {
      targets.push({ componentId, outputs: [pattern, `${pattern}.*`], inputs: [] });
    } else if (exists && Object.hasOwn(sinks, componentId)) {
      targets.push({ componentId, outputs: [], inputs: [pattern] });
    } else if (exists && Object.hasOwn(producers, owner)) {
      targets.push({ componentId, outputs: [pattern], inputs: [] });
    } else {
      return problem(
        `the version that runs on this host has no component ${JSON.stringify(componentId.slice(0, 100))}`,
      );
    }
  }
  return { kind: "found", targets };
}
