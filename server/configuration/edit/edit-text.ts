import { loadCatalogue, type Kind } from "../catalogue.ts";
import { addComponent } from "./add-component.ts";
import { renameComponent, renameOutput, type Renamed } from "./rename.ts";

/** A change of a text that keeps everything else as it is written. */
export type PipelineEdit =
  | { readonly kind: "rename-component"; readonly key: string; readonly newKey: string }
  | {
      readonly kind: "rename-output";
      readonly key: string;
      readonly name: string;
      readonly newName: string;
    }
  | { readonly kind: "add-component"; readonly componentKind: Kind; readonly type: string };

export function editText(text: string, edit: PipelineEdit): Renamed {
  const catalogue = loadCatalogue();
  switch (edit.kind) {
    case "rename-component":
      return renameComponent(text, edit.key, edit.newKey, catalogue);
    case "rename-output":
      return renameOutput(text, edit.key, edit.name, edit.newName, catalogue);
    default:
      return addComponent(text, edit.componentKind, edit.type, catalogue);
  }
}
