import { parseDocument } from "yaml";
import { configText } from "../secrets/references.ts";

/** A configuration with the agent's own additions, with Vector's API listening instead of closed. */
export function withOpenApi(text: string): string {
  const document = parseDocument(text, { intAsBigInt: true, merge: true });
  document.setIn(["api", "enabled"], true);
  return configText(document);
}
