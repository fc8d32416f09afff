import { useBeforeLeave, useParams, useSearchParams } from "@solidjs/router";
import { createEffect, lazy, Match, onCleanup, Show, Switch, type JSX } from "solid-js";

import { PipelineService } from "#gen/vectorflow/v1/pipeline_service_pb.ts";

import { useRead } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { LinkButton } from "../ui/button.tsx";
import { EmptyState, Skeleton } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { PageHeader, TabNav } from "../ui/page.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { PipelineActions } from "./pipeline-actions.tsx";
import { PipelineBadges } from "./pipeline-columns.tsx";
import { PipelineProvider, usePipeline } from "./pipeline-context.tsx";
import { PipelineOverview } from "./pipeline-overview.tsx";
import { pipelineWord, statusLine } from "./pipeline-state.ts";
import { countErrors } from "./preview.ts";

import "./pipelines.css";

const EditTab = lazy(async () => ({ default: (await import("./edit-tab.tsx")).EditTab }));
const VersionsTab = lazy(async () => ({
  default: (await import("./versions-tab.tsx")).VersionsTab,
}));
const PipelineLogs = lazy(async () => ({
  default: (await import("../logs/pipeline-logs.tsx")).PipelineLogs,
}));
const LiveDataTab = lazy(async () => ({
  default: (await import("../inspection/live-data-tab.tsx")).LiveDataTab,
}));
const TryTab = lazy(async () => ({ default: (await import("../trials/try-tab.tsx")).TryTab }));
const DeploySheet = lazy(async () => ({
  default: (await import("./deploy-sheet.tsx")).DeploySheet,
}));

/** One pipeline: live state from the stream, text from a request. */
export function PipelinePage(): JSX.Element {
  const params = useParams();
  const environment = useEnvironment();
  const live = useLive();
  const id = (): string => params["id"] ?? "";
  live.watchPipeline(id);
  return (
    <Switch>
      <Match when={live.pipeline(id()) !== undefined}>
        <Show when={id()} keyed>
          {(id) => <LoadedPipeline id={id} />}
        </Show>
      </Match>
      <Match when={!live.data.synced}>
        <div class="page">
          <Skeleton rows={8} />
        </div>
      </Match>
      <Match when={live.data.synced}>
        <div class="page">
          <EmptyState
            title="There is no such pipeline"
            actions={<LinkButton href={environment.path("pipelines")}>All pipelines</LinkButton>}
          >
            It may have been deleted, or it belongs to another environment.
          </EmptyState>
        </div>
      </Match>
    </Switch>
  );
}

function LoadedPipeline(props: { id: string }): JSX.Element {
  const live = useLive();
  const read = useRead(PipelineService.method.getPipeline, () => ({ id: props.id }));
  return (
    <QueryView read={read} skeletonRows={8}>
      {(answer) => (
        <Show when={live.pipeline(props.id)}>
          {(pipelineLive) => (
            <Show when={answer().pipeline}>
              {(pipeline) => (
                <PipelineProvider live={pipelineLive()} pipeline={pipeline()}>
                  <PipelineBody />
                </PipelineProvider>
              )}
            </Show>
          )}
        </Show>
      )}
    </QueryView>
  );
}

function PipelineBody(): JSX.Element {
  const environment = useEnvironment();
  const pipeline = usePipeline();
  const [search] = useSearchParams();
  const tab = (): string => String(search["tab"] ?? "overview");
  const word = (): ReturnType<typeof pipelineWord> => pipelineWord(pipeline.live());
  const errors = (): number => countErrors(pipeline.preview.checked()?.response.problems ?? []);
  guardUnsaved();
  return (
    <div class="page" data-wide={tab() === "edit" ? "" : undefined}>
      <PageHeader
        title={pipeline.live().summary?.name ?? ""}
        parent={{ label: "Pipelines", href: environment.path("pipelines") }}
        badges={<PipelineBadges pipeline={pipeline.live()} />}
        status={
          <>
            <StateMark tone={word().tone}>{word().word}</StateMark>
            <span>{statusLine(pipeline.live())}</span>
          </>
        }
        actions={<PipelineActions />}
      />
      <TabNav
        label="Parts of the pipeline"
        current={tab()}
        tabs={[
          { id: "overview", label: "Overview" },
          {
            id: "edit",
            label: "Edit",
            ...(errors() > 0 && { badge: `${errors()} ${errors() === 1 ? "error" : "errors"}` }),
          },
          { id: "try", label: "Try" },
          { id: "live", label: "Live data" },
          { id: "logs", label: "Logs" },
          { id: "versions", label: "Versions" },
        ]}
      />
      <Switch fallback={<PipelineOverview />}>
        <Match when={tab() === "edit"}>
          <EditTab />
        </Match>
        <Match when={tab() === "try"}>
          <TryTab />
        </Match>
        <Match when={tab() === "live"}>
          <LiveDataTab />
        </Match>
        <Match when={tab() === "logs"}>
          <PipelineLogs pipelineId={pipeline.id} />
        </Match>
        <Match when={tab() === "versions"}>
          <VersionsTab />
        </Match>
      </Switch>
      <Show when={search["deploy"] !== undefined}>
        <DeploySheet />
      </Show>
    </div>
  );
}

/** Asks before a page is left whose text the server does not have. */
function guardUnsaved(): void {
  const { draft } = usePipeline();
  const unsaved = (): boolean => {
    const { kind } = draft.state();
    return kind === "failed" || kind === "conflict";
  };
  useBeforeLeave((event) => {
    const stays = typeof event.to === "string" && event.to.split("?")[0] === event.from.pathname;
    if (!unsaved() || stays || event.defaultPrevented) return;
    event.preventDefault();
    if (window.confirm("Your changes are not saved. Leave without them?")) event.retry(true);
  });
  createEffect(() => {
    if (draft.state().kind === "saved") return;
    const warn = (event: BeforeUnloadEvent): void => event.preventDefault();
    window.addEventListener("beforeunload", warn);
    onCleanup(() => window.removeEventListener("beforeunload", warn));
  });
}
