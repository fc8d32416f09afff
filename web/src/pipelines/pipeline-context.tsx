import {
  createContext,
  createEffect,
  on,
  onCleanup,
  untrack,
  type Accessor,
  type JSX,
} from "solid-js";

import type { PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";
import type { NodePipelineStatus, Pipeline } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { useApi } from "../state/api.tsx";
import { useLive } from "../state/live.tsx";
import { requireContext } from "../state/required-context.ts";
import { createDraftSession, type DraftSession, type SavedDraft } from "./draft-session.ts";
import { createPreview, type Preview } from "./preview.ts";

/** The pipeline that a page is about. Its draft outlives the page's tabs. */
export interface OpenPipeline {
  readonly id: string;
  readonly live: Accessor<PipelineLive>;
  readonly statuses: Accessor<readonly NodePipelineStatus[]>;
  readonly draft: DraftSession;
  readonly preview: Preview;
}

const PipelineContext = createContext<OpenPipeline>();

export function usePipeline(): OpenPipeline {
  return requireContext(PipelineContext, "PipelineProvider");
}

/** Mount it keyed by the pipeline's id. */
export function PipelineProvider(props: {
  live: PipelineLive;
  pipeline: Pipeline;
  children: JSX.Element;
}): JSX.Element {
  const { clients, clock } = useApi();
  const view = useLive();
  const initial = untrack(() => toSaved(props.pipeline));
  const id = untrack(() => props.live.summary?.id ?? "");
  const draft = createDraftSession(initial, {
    clock,
    async save(revision, yaml) {
      const { pipeline } = await clients.pipelines.updatePipeline({ id, revision, yaml });
      return toSaved(pipeline);
    },
    async load() {
      const { pipeline } = await clients.pipelines.getPipeline({ id });
      return toSaved(pipeline);
    },
  });
  createEffect(on(() => toSaved(props.pipeline), draft.adopt, { defer: true }));
  onCleanup(() => {
    void draft.flush().finally(() => draft.close());
  });
  // A window that is put away may never come back.
  const saveWhenHidden = (): void => {
    if (document.visibilityState === "hidden") void draft.flush();
  };
  document.addEventListener("visibilitychange", saveWhenHidden);
  onCleanup(() => document.removeEventListener("visibilitychange", saveWhenHidden));

  const preview = createPreview(draft.text, {
    clock,
    preview: (yaml, signal) => clients.pipelines.previewPipeline({ id, yaml }, { signal }),
  });
  const open: OpenPipeline = {
    id,
    live: () => props.live,
    statuses: () => view.statusesOf(id),
    draft,
    preview,
  };
  return <PipelineContext.Provider value={open}>{props.children}</PipelineContext.Provider>;
}

function toSaved(pipeline: Pipeline | undefined): SavedDraft {
  return {
    yaml: pipeline?.yaml ?? "",
    revision: pipeline?.revision ?? "",
    updatedBy: pipeline?.summary?.updatedBy ?? "",
  };
}
