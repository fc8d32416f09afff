import { useSearchParams } from "@solidjs/router";
import { For, type JSX } from "solid-js";

import type { MessageInitShape } from "@bufbuild/protobuf";
import type { AuditFilterSchema } from "#gen/vectorflow/v1/audit_pb.ts";

import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { TeamService } from "#gen/vectorflow/v1/team_service_pb.ts";

import { toTimestamp } from "../lib/time.ts";
import { useReadAll } from "../state/create-read.ts";
import { Select, TextField } from "../ui/field.tsx";

const fields = [
  { key: "action", label: "Action", placeholder: "pipeline." },
  { key: "type", label: "Kind of thing", placeholder: "Pipeline" },
  { key: "user", label: "Person", placeholder: "Part of name or e-mail" },
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
  const teams = useReadAll(TeamService.method.listTeams, () => ({}));
  const environments = useReadAll(EnvironmentService.method.listEnvironments, () => ({}));
  const set = (key: string, value: string): void =>
    setParams({ [key]: value || undefined, page: undefined }, { replace: true });
  return (
    <div class="audit-filters">
      <Choice
        label="Team"
        all="All teams"
        value={textOf(params, "team")}
        options={teams.data()?.teams ?? []}
        onValue={(team) => set("team", team)}
      />
      <Choice
        label="Environment"
        all="All environments"
        value={textOf(params, "environment")}
        options={environments.data()?.environments ?? []}
        onValue={(environment) => set("environment", environment)}
      />
      <For each={fields}>
        {(field) => (
          <TextField
            label={field.label}
            type={"type" in field ? field.type : "search"}
            placeholder={field.placeholder}
            value={textOf(params, field.key)}
            onValue={(value) => set(field.key, value)}
          />
        )}
      </For>
    </div>
  );
}

/** One of the things that one sees, or all of them. An id of the address that is none of them is kept. */
function Choice(props: {
  label: string;
  all: string;
  value: string;
  options: readonly { readonly id: string; readonly name: string }[];
  onValue: (id: string) => void;
}): JSX.Element {
  const options = () => {
    const known = props.options.map(({ id, name }) => ({ value: id, label: name }));
    const foreign = props.value !== "" && !known.some(({ value }) => value === props.value);
    const kept = foreign ? [{ value: props.value, label: props.value }] : [];
    return [{ value: "", label: props.all }, ...known, ...kept];
  };
  return (
    <div class="field audit-choice">
      <span aria-hidden="true">{props.label}</span>
      <Select label={props.label} value={props.value} options={options()} onValue={props.onValue} />
    </div>
  );
}
