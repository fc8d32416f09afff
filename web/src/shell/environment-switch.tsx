import { useLocation, useNavigate } from "@solidjs/router";
import type { JSX } from "solid-js";

import { useEnvironment } from "../state/environment.tsx";
import { Select } from "../ui/field.tsx";

/** Changes the environment and stays in the same kind of list. */
export function EnvironmentSwitch(): JSX.Element {
  const environment = useEnvironment();
  const navigate = useNavigate();
  const location = useLocation();
  const section = (): string =>
    location.pathname.split("/")[3] === "pipelines" ? "pipelines" : "hosts";
  return (
    <Select
      label="Environment"
      value={environment.id()}
      options={environment.environments().map(({ id, name, teamName }) => ({
        value: id,
        label: severalTeams(environment.environments()) ? `${teamName} / ${name}` : name,
      }))}
      onValue={(id) => navigate(`/e/${encodeURIComponent(id)}/${section()}`)}
    />
  );
}

function severalTeams(environments: readonly { readonly teamId: string }[]): boolean {
  return new Set(environments.map(({ teamId }) => teamId)).size > 1;
}
