import { loadCatalogue } from "../catalogue.ts";
import { renameComponent, renameOutput, type Renamed } from "./rename.ts";

/** A change of a text that keeps everything else as it is written. */
export type PipelineEdit =
  | { readonly kind: "rename-component"; readonly key: string; readonly newKey: string }
  | {
      readonly kind: "rename-output";
      readonly key: string;
      readonly name: string;
      readonly newName: string;
    };

export function editText(text: string, edit: PipelineEdit): Renamed {
  const catalogue = loadCatalogue();
  return edit.kind === "rename-component"
    ? renameComponent(text, edit.key, edit.newKey, catalogue)
    : renameOutput(text, edit.key, edit.name, edit.newName, catalogue);
}
