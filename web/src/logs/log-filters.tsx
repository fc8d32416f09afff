import { useSearchParams } from "@solidjs/router";
import type { JSX } from "solid-js";

import { Select } from "../ui/field.tsx";
import { levelOptions, parseLevel } from "./log-buffer.ts";

/** Level and search, kept in the address. */
export function useLogFilters(): {
  readonly level: () => (typeof levelOptions)[number];
  readonly search: () => string;
} {
  const [params] = useSearchParams();
  return {
    level: () => parseLevel(params["level"]),
    search: () => String(params["find"] ?? ""),
  };
}

export function LogFilters(props: { children?: JSX.Element }): JSX.Element {
  const [, setParams] = useSearchParams();
  const { level, search } = useLogFilters();
  const replace = (next: Record<string, string | undefined>): void =>
    setParams(next, { replace: true, scroll: false });
  return (
    <div class="log-filters">
      <input
        type="search"
        class="input"
        aria-label="Search log lines"
        placeholder="Search"
        value={search()}
        onInput={(event) => replace({ find: event.currentTarget.value || undefined })}
      />
      <Select
        label="Level"
        value={level().value}
        options={levelOptions}
        onValue={(value) => replace({ level: value === "all" ? undefined : value })}
      />
      {props.children}
    </div>
  );
}
