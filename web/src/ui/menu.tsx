import { DropdownMenu } from "@kobalte/core/dropdown-menu";
import { For, type JSX } from "solid-js";

import "./menu.css";

export interface MenuItem {
  readonly label: string;
  readonly tone?: "bad";
  readonly onSelect: () => void;
}

/** A button that opens a list of actions. */
export function Menu(props: {
  label: string;
  class?: string;
  trigger: JSX.Element;
  items: readonly MenuItem[];
}): JSX.Element {
  return (
    <DropdownMenu>
      <DropdownMenu.Trigger class={props.class ?? "button"} aria-label={props.label}>
        {props.trigger}
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content class="menu">
          <For each={props.items}>
            {(item) => (
              <DropdownMenu.Item class="menu-item" data-tone={item.tone} onSelect={item.onSelect}>
                {item.label}
              </DropdownMenu.Item>
            )}
          </For>
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu>
  );
}
