import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { hoverTooltip, type Tooltip } from "@codemirror/view";

import type { ComponentOption } from "#gen/vectorflow/v1/component_schema_service_pb.ts";

import { lackingNote, optionFacts, type ComponentForms } from "./component-forms.ts";
import { placeAt, type YamlPlace } from "./yaml-place.ts";

type Source = (context: CompletionContext) => Promise<CompletionResult | null> | null;

/** Completes types of components, names of options and values that are one of a few. */
export function completeOptions(forms: ComponentForms): Source {
  return (context) => {
    const place = placeAt(context.state.doc.toString(), context.pos);
    if (place === undefined) return null;
    const { valueFrom } = place;
    if (valueFrom !== undefined && context.pos >= valueFrom) {
      const text = context.state.sliceDoc(valueFrom, context.pos);
      const [, word] = /^\s+["']?([\w.-]*)$/.exec(text) ?? [];
      return word === undefined ? null : completeValue(forms, place, context.pos - word.length);
    }
    const typed = context.state.sliceDoc(place.from, context.pos);
    if (context.pos < place.from || !/^\w*$/.test(typed)) return null;
    return typed === "" && !context.explicit ? null : completeName(forms, place);
  };
}

async function completeValue(
  forms: ComponentForms,
  { component, type, path }: YamlPlace,
  from: number,
): Promise<CompletionResult | null> {
  const options: Completion[] =
    path === "type"
      ? (await forms.types(component.section)).map(({ type, title, description, lackingIn }) => ({
          label: type,
          detail: title,
          info: [description, ...lackingNote(lackingIn)].filter(Boolean).join("\n"),
          type: "class",
        }))
      : (
          (await forms.options(component.section, type)).find((option) => option.path === path)
            ?.values ?? []
        ).map((label) => ({ label, type: "enum" }));
  return options.length === 0 ? null : { from, options, validFor: /^[\w.-]*$/ };
}

async function completeName(
  forms: ComponentForms,
  { component, type, parent, from }: YamlPlace,
): Promise<CompletionResult | null> {
  const prefix = parent === "" ? "" : `${parent}.`;
  const options = (await forms.options(component.section, type))
    .filter(({ path }) => path.startsWith(prefix) && /^\w+$/.test(path.slice(prefix.length)))
    .map((option): Completion => {
      const label = option.path.slice(prefix.length);
      return {
        label,
        apply: `${label}: `,
        detail: option.types.join(" or "),
        info: describe(option),
        type: "property",
        // What is needed comes first, what is old last.
        boost: option.required ? 2 : option.deprecated ? -50 : option.description === "" ? 0 : 1,
      };
    });
  return options.length === 0 ? null : { from, options, validFor: /^\w*$/ };
}

function describe(option: ComponentOption): string {
  return [option.description, ...optionFacts(option)].filter(Boolean).join("\n");
}

/** Tells of the type or the option under the pointer what it is for. */
export function hoverOptions(forms: ComponentForms): ReturnType<typeof hoverTooltip> {
  return hoverTooltip(async (view, position): Promise<Tooltip | null> => {
    const place = placeAt(view.state.doc.toString(), position);
    if (place === undefined || place.path === "") return null;
    const text = await textAt(forms, place, position);
    if (text === "") return null;
    return {
      pos: place.from,
      end: place.to,
      above: true,
      create: () => ({ dom: tooltip(text) }),
    };
  });
}

/** What the tooltip at a place says; empty for nothing. */
export async function textAt(
  forms: ComponentForms,
  { component, type, path, to }: YamlPlace,
  position: number,
): Promise<string> {
  if (path === "type") {
    const found = (await forms.types(component.section)).find((known) => known.type === type);
    return [found?.description ?? "", ...lackingNote(found?.lackingIn ?? [])]
      .filter(Boolean)
      .join("\n");
  }
  if (position > to) return "";
  const option = (await forms.options(component.section, type)).find(
    (known) => known.path === path,
  );
  return option === undefined ? "" : describe(option);
}

function tooltip(text: string): HTMLElement {
  const element = document.createElement("div");
  element.className = "cm-option-tooltip";
  element.textContent = text;
  return element;
}
