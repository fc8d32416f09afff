import { createClient, type Transport } from "@connectrpc/connect";

import {
  ComponentSchemaService,
  type ComponentOption,
  type ComponentType,
} from "#gen/vectorflow/v1/component_schema_service_pb.ts";
import { ComponentKind } from "#gen/vectorflow/v1/pipeline_pb.ts";

import type { OutlineComponent } from "./outline.ts";

/** What is known of components and their options, asked for when it is needed, and once. */
export interface ComponentForms {
  types(section: OutlineComponent["section"]): Promise<readonly ComponentType[]>;
  /** Empty when there is no such type, or the server cannot be asked. */
  options(section: OutlineComponent["section"], type: string): Promise<readonly ComponentOption[]>;
}

const kinds = {
  sources: ComponentKind.SOURCE,
  transforms: ComponentKind.TRANSFORM,
  sinks: ComponentKind.SINK,
} satisfies Record<OutlineComponent["section"], ComponentKind>;

export function createComponentForms(transport: Transport, environmentId: string): ComponentForms {
  const client = createClient(ComponentSchemaService, transport);
  const kept = new Map<string, Promise<unknown>>();
  /** A failure is not kept: the next one asks again. Proposals are no reason to disturb anybody. */
  const once = <T>(key: string, ask: () => Promise<T>, otherwise: T): Promise<T> => {
    const known = kept.get(key);
    // Each key always has values of one type.
    if (known !== undefined) return known as Promise<T>;
    const asked = ask().catch(() => {
      kept.delete(key);
      return otherwise;
    });
    kept.set(key, asked);
    return asked;
  };
  return {
    async types(section) {
      const ask = async (): Promise<readonly ComponentType[]> =>
        (await client.getComponentCatalogue({ environmentId })).types;
      const types = await once("types", ask, []);
      return types.filter(({ kind }) => kind === kinds[section]);
    },
    options(section, type) {
      const ask = async (): Promise<readonly ComponentOption[]> =>
        (await client.getComponentForm({ environmentId, kind: kinds[section], type })).options;
      return once(`${section}/${type}`, ask, []);
    },
  };
}

/** What to know of an option, in short lines. */
export function optionFacts(option: ComponentOption): readonly string[] {
  const { types, required, defaultJson, values, relevantWhen, unit, lackingIn } = option;
  return [
    `${types.join(" or ")}${unit === "" ? "" : `, in ${unit}`}${required ? ", required" : ""}`,
    ...(defaultJson === "" ? [] : [`default: ${defaultJson}`]),
    ...(values.length === 0 ? [] : [`one of ${values.join(", ")}`]),
    ...(relevantWhen === "" ? [] : [`only when ${relevantWhen}`]),
    ...(option.deprecated ? ["deprecated"] : []),
    ...lackingNote(lackingIn),
  ];
}

export function lackingNote(versions: readonly string[]): readonly string[] {
  return versions.length === 0 ? [] : [`not in Vector ${versions.join(", ")}`];
}
