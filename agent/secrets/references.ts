import { isPair, isScalar, visit, type Document, type Scalar } from "yaml";
import { reservedPrefix } from "../vector/reserved.ts";
import { isNumberOrBoolean } from "./yaml-escape.ts";

/** Vector's name for the backend that asks the agent. */
export const secretBackend = `${reservedPrefix}secrets`;

/** What the references of a configuration stand for on this host. */
export interface ReferenceTargets {
  readonly secrets: ReadonlyMap<string, string>;
  /** The absolute path of a certificate's file; undefined when this host has none of that name. */
  certificatePath(name: string): string | undefined;
}

export interface ReferenceProblem {
  readonly componentId: string;
  readonly field: string;
  readonly message: string;
}

const reference = /(SECRET|CERT)\[([^[\]\s]+)\]/g;
// What Vector takes for a placeholder after the backend's name.
const usableKey = /^[\w./-]+$/;

/**
 * Binds `SECRET[name]` to the agent's secret backend and `CERT[name]` to the path of a file, wherever
 * they stand in a string. Vector pastes a secret's value as text, so that a string which holds one is
 * written in double quotes, for which the values are escaped. A reference that was written without
 * quotes and whose value is a number or a boolean keeps being one.
 *
 * `SECRET[backend.key]` of a backend that the configuration itself defines is left alone.
 */
export function bindReferences(
  document: Document,
  targets: ReferenceTargets,
): { readonly usesSecrets: boolean; readonly problems: readonly ReferenceProblem[] } {
  const own = new Set(backendsOf(document));
  const problems: ReferenceProblem[] = [];
  let usesSecrets = false;
  visit(document, {
    Node: (_key, node) => disarmComments(node),
    Scalar(_key, node, path) {
      disarmComments(node);
      if (typeof node.value !== "string" || !node.value.includes("[")) return;
      const text = node.value;
      let secretsHere = 0;
      const bound = text.replaceAll(reference, (whole, kind: string, name: string) => {
        if (kind === "CERT") {
          const file = targets.certificatePath(name);
          if (file === undefined) problems.push(missing(path, `certificate "${name}"`));
          return file ?? whole;
        }
        if (!targets.secrets.has(name) || !usableKey.test(name)) {
          if (own.has(name.split(".")[0] ?? "")) return whole;
          problems.push(missing(path, `secret "${name}"`));
          return whole;
        }
        secretsHere += 1;
        return `SECRET[${secretBackend}.${name}]`;
      });
      if (bound === text) return;
      node.value = bound;
      if (secretsHere === 0) return;
      usesSecrets = true;
      if (!staysBare(node, text, targets.secrets)) node.type = "QUOTE_DOUBLE";
    },
  });
  disarmComments(document);
  return { usesSecrets, problems };
}

/** The document as text. Values are pasted into double quotes, which must stand on one line then. */
export function configText(document: Document): string {
  return document.toString({ lineWidth: 0, doubleQuotedAsJSON: true });
}

function staysBare(node: Scalar, text: string, secrets: ReadonlyMap<string, string>): boolean {
  const name = /^SECRET\[([^[\]\s]+)\]$/.exec(text)?.[1];
  return name !== undefined && node.type === "PLAIN" && isNumberOrBoolean(secrets.get(name) ?? "");
}

/** Vector reads the text before it knows of comments: a placeholder in one would be asked for too. */
function disarmComments(node: { comment?: string | null; commentBefore?: string | null }): void {
  const disarm = (comment: string): string => comment.replaceAll("SECRET[", "SECRET [");
  if (node.comment != null) node.comment = disarm(node.comment);
  if (node.commentBefore != null) node.commentBefore = disarm(node.commentBefore);
}

function backendsOf(document: Document): readonly string[] {
  const section: unknown = document.get("secret");
  if (typeof section !== "object" || section === null || !("items" in section)) return [];
  const { items } = section as { readonly items: readonly unknown[] }; // A YAML map's pairs.
  return items.flatMap((pair) => (isPair(pair) ? [textOf(pair.key)] : []));
}

function textOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function missing(path: readonly unknown[], what: string): ReferenceProblem {
  const [section = "", componentId = "", ...field] = path.flatMap((step) =>
    isPair(step) ? [textOf(step.key)] : [],
  );
  const isComponent = ["sources", "transforms", "sinks", "enrichment_tables"].includes(section);
  return {
    componentId: isComponent ? componentId : "",
    field: isComponent ? field.join(".") : [section, componentId, ...field].join("."),
    message: `${what} is not on this host: create it in the environment and deploy again`,
  };
}
