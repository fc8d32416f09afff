import { useSearchParams } from "@solidjs/router";
import { For, type JSX } from "solid-js";

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuditFilterSchema } from "#gen/vectorflow/v1/audit_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { TextField } from "../ui/field.tsx";

const fields = [
  { key: "action", label: "Action", placeholder: "pipeline." },
  { key: "type", label: "Kind of thing", placeholder: "Pipeline" },
  { key: "user", label: "Person", placeholder: "Part of name or e-mail" },
  { key: "team", label: "Team id", placeholder: "" },
  { key: "environment", label: "Environment id", placeholder: "" },
  { key: "q", label: "Text", placeholder: "In ids and changes" },
  { key: "from", label: "From", placeholder: "", type: "datetime-local" },
  { key: "to", label: "Until", placeholder: "", type: "datetime-local" },
] as const;

type Search = Readonly<Record<string, string | string[] | undefined>>;

const textOf = (params: Search, key: string): string => {
  const value = params[key];
  return typeof value === "string" ? value : "";
};

/** The filter that an address asks for. */
export function filterOf(params: Search): MessageInitShape<typeof AuditFilterSchema> {
  const time = (key: string): { seconds: bigint; nanos: number } | undefined => {
    const ms = Date.parse(textOf(params, key));
    return Number.isNaN(ms) ? undefined : toTimestamp(ms);
  };
  const start = time("from");
  const end = time("to");
  return {
    action: textOf(params, "action"),
    entityType: textOf(params, "type"),
    user: textOf(params, "user"),
    teamId: textOf(params, "team"),
    environmentId: textOf(params, "environment"),
    search: textOf(params, "q"),
    ...(start && { startTime: start }),
    ...(end && { endTime: end }),
  };
}

/** What to look for; it is in the address, so that it can be shared. */
export function AuditFilters(): JSX.Element {
  const [params, setParams] = useSearchParams();
  return (
    <div class="audit-filters">
      <For each={fields}>
        {(field) => (
          <TextField
            label={field.label}
            type={"type" in field ? field.type : "search"}
            placeholder={field.placeholder}
            value={textOf(params, field.key)}
            onValue={(value) =>
              setParams({ [field.key]: value || undefined, page: undefined }, { replace: true })
            }
          />
        )}
      </For>
    </div>
  );
}
