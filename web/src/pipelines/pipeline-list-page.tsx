import { useNavigate, useSearchParams } from "@solidjs/router";
import Plus from "lucide-solid/icons/plus";
import { createMemo, createSignal, lazy, Match, Show, Switch, type JSX } from "solid-js";
import { unwrap } from "solid-js/store";

import { toUiError } from "../api/errors.ts";
import { createSteadyOrder } from "../fleet/steady-order.ts";
import { plural } from "../lib/format.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { Button, LinkButton } from "../ui/button.tsx";
import { DataTable } from "../ui/data-table.tsx";
import { EmptyState, ErrorBox, Skeleton } from "../ui/feedback.tsx";
import { PageHeader } from "../ui/page.tsx";
import { createDemoPipeline } from "./create-demo.ts";
import { pipelineColumns } from "./pipeline-columns.tsx";
import { selectPipelines } from "./select-pipelines.ts";

import "../fleet/fleet.css";
import "./pipelines.css";

const ImportSheet = lazy(async () => ({
  default: (await import("./import-sheet.tsx")).ImportSheet,
}));

/** Every pipeline of the environment, with its numbers, live. */
export function PipelineListPage(): JSX.Element {
  const environment = useEnvironment();
  const live = useLive();
  const [params, setParams] = useSearchParams();
  const [hovered, setHovered] = createSignal(false);
  const query = createMemo(() => ({
    text: String(params["q"] ?? ""),
    column: String(params["sort"] ?? "name"),
    descending: params["order"] === "desc",
  }));
  const pipelineIds = createMemo(() => Object.keys(live.data.pipelines).join());
  const ids = createSteadyOrder({
    compute: () => selectPipelines(Object.values(unwrap(live.data.pipelines)), query()),
    immediate: () => [query(), pipelineIds()],
    frozen: hovered,
  });
  const replace = (next: Record<string, string | undefined>): void =>
    setParams(next, { replace: true, scroll: false });

  return (
    <div class="page page-fill">
      <PageHeader
        title="Pipelines"
        actions={
          <Show when={environment.canEdit()}>
            <Button onClick={() => setParams({ import: "1" }, { scroll: false })}>Import…</Button>
            <LinkButton href={environment.path("templates")}>New from template</LinkButton>
            <LinkButton href={environment.path("pipelines", "new")} variant="primary">
              <Plus size={14} aria-hidden="true" /> New pipeline
            </LinkButton>
          </Show>
        }
      />
      <Switch>
        <Match when={!live.data.synced}>
          <Skeleton rows={8} />
        </Match>
        <Match when={pipelineIds() === ""}>
          <NoPipelines />
        </Match>
        <Match when={pipelineIds() !== ""}>
          <div class="filter-bar">
            <input
              type="search"
              class="input filter-text"
              aria-label="Filter pipelines"
              placeholder="Filter by name"
              value={query().text}
              onInput={(event) => replace({ q: event.currentTarget.value || undefined })}
            />
            <span class="filter-count muted" role="status">
              {plural(ids().length, "pipeline")}
            </span>
          </div>
          <DataTable
            label="Pipelines"
            ids={ids()}
            row={live.pipeline}
            columns={pipelineColumns({
              hrefOf: (id) => environment.path("pipelines", id),
              live,
            })}
            sort={{ column: query().column, descending: query().descending }}
            onSort={({ column, descending }) =>
              replace({
                sort: column === "name" ? undefined : column,
                order: descending ? "desc" : undefined,
              })
            }
            onHover={setHovered}
            stale={live.stale()}
          />
          <Show when={ids().length === 0}>
            <EmptyState
              title="No pipeline matches the filter"
              actions={<Button onClick={() => replace({ q: undefined })}>Clear filter</Button>}
            />
          </Show>
        </Match>
      </Switch>
      <Show when={params["import"] !== undefined && environment.canEdit()}>
        <ImportSheet onClose={() => setParams({ import: undefined }, { scroll: false })} />
      </Show>
    </div>
  );
}

function NoPipelines(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<ReturnType<typeof toUiError>>();
  const createDemo = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      navigate(environment.path("pipelines", await createDemoPipeline(clients, environment.id())));
    } catch (thrown) {
      setError(toUiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <EmptyState
      title="No pipelines yet"
      actions={
        <Show when={environment.canEdit()}>
          <Button variant="primary" loading={busy()} onClick={() => void createDemo()}>
            Create demo pipeline
          </Button>
          <LinkButton href={environment.path("templates")}>New from template</LinkButton>
          <LinkButton href={environment.path("pipelines", "new")}>New pipeline</LinkButton>
          <LinkButton href={`${environment.path("pipelines")}?import=1`}>
            Import a configuration
          </LinkButton>
        </Show>
      }
    >
      <p>
        A pipeline says where events come from, what happens to them and where they go. Vector runs
        it on the hosts of this environment. The demo makes up events, so that there is something to
        see at once.
      </p>
      <Show when={error()}>
        {(problem) => <ErrorBox title="The demo could not be created." error={problem()} />}
      </Show>
    </EmptyState>
  );
}
