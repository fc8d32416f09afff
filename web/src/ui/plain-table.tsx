import { For, type JSX } from "solid-js";

import "./plain-table.css";

/** A table of few rows, all of them in the page. An empty head is a column of actions. */
export function PlainTable(props: {
  label: string;
  head: readonly string[];
  children: JSX.Element;
}): JSX.Element {
  return (
    <div class="plain-table-scroll">
      <table class="plain-table" aria-label={props.label}>
        <thead>
          <tr>
            <For each={props.head}>
              {(title) =>
                title === "" ? (
                  <td>
                    <span class="visually-hidden">Actions</span>
                  </td>
                ) : (
                  <th scope="col">{title}</th>
                )
              }
            </For>
          </tr>
        </thead>
        <tbody>{props.children}</tbody>
      </table>
    </div>
  );
}
