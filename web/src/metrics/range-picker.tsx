import { useSearchParams } from "@solidjs/router";
import { For, type JSX } from "solid-js";

import { parseRange, ranges } from "./range.ts";

import "./range-picker.css";

/** The range in the address, for charts of the page. */
export function useRange(): () => (typeof ranges)[number] {
  const [params] = useSearchParams();
  return () => parseRange(params["range"]);
}

export function RangePicker(): JSX.Element {
  const [, setParams] = useSearchParams();
  const range = useRange();
  return (
    <div class="range-picker" role="group" aria-label="Time range">
      <For each={ranges}>
        {(option) => (
          <button
            type="button"
            aria-pressed={range().value === option.value}
            onClick={() =>
              setParams(
                { range: option.value === ranges[0].value ? undefined : option.value },
                { replace: true, scroll: false },
              )
            }
          >
            {option.label}
          </button>
        )}
      </For>
    </div>
  );
}
