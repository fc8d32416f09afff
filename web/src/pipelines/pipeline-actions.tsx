import { useNavigate, useSearchParams } from "@solidjs/router";
import Ellipsis from "lucide-solid/icons/ellipsis";
import { createMemo, createSignal, lazy, Show, type JSX } from "solid-js";

import { PipelineState } from "#gen/vectorflow/v1/pipeline_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { showToast } from "../ui/toast.tsx";
import { CloneDialog } from "./clone-dialog.tsx";
import { ExportDialog } from "./export-dialog.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { RenameDialog } from "./rename-dialog.tsx";
import { StopDialog, type Stop } from "./stop-dialog.tsx";

const PromoteSheet = lazy(async () => ({
  default: (await import("./promote-sheet.tsx")).PromoteSheet,
}));

const SaveAsTemplate = lazy(async () => ({
  default: (await import("../library/save-as-template.tsx")).SaveAsTemplate,
}));

type Question = Stop | "delete" | "rename" | "clone" | "promote" | "export" | "template";

/** Deploy, pause, resume, undeploy, rename, clone, promote, delete. */
export function PipelineActions(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const pipeline = usePipeline();
  const [, setParams] = useSearchParams();
  const [asking, setAsking] = createSignal<Question>();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const summary = () => pipeline.live().summary;
  const name = (): string => summary()?.name ?? "";
  const paused = createMemo(() => summary()?.state === PipelineState.PAUSED);
  const undeployed = createMemo(() => summary()?.undeployedVersion ?? 0);
  const ask = (what: Question): void => {
    setError(undefined);
    setAsking(what);
  };
  const done = (): void => {
    setAsking(undefined);
  };
  const remove = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const deleted = name();
      await clients.pipelines.deletePipeline({ id: pipeline.id });
      done();
      navigate(environment.path("pipelines"));
      showToast(`${deleted} was deleted`);
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  const resume = async (version: number): Promise<void> => {
    setBusy(true);
    try {
      await clients.lifecycle.resumePipeline({ id: pipeline.id, version });
      showToast(`Hosts run v${version} of ${name()} again`);
    } catch (thrown) {
      showToast(toUiError(thrown).message, "bad");
    } finally {
      setBusy(false);
    }
  };
  // Made anew only when it has other entries: numbers that arrive must not replace what a person points at.
  const items = createMemo((): readonly MenuItem[] => {
    const last = undeployed();
    return [
      { label: "Rename…", onSelect: () => ask("rename") },
      { label: "Clone…", onSelect: () => ask("clone") },
      { label: "Promote…", onSelect: () => ask("promote") },
      { label: "Export…", onSelect: () => ask("export") },
      { label: "Save as template…", onSelect: () => ask("template") },
      ...(last === 0 ? [] : [{ label: `Put v${last} back`, onSelect: () => void resume(last) }]),
      ...(paused() ? [{ label: "Undeploy…", onSelect: () => ask("undeploy") }] : []),
      { label: "Delete…", tone: "bad", onSelect: () => ask("delete") },
    ];
  });

  return (
    <Show
      when={environment.canEdit()}
      fallback={
        <>
          <Button onClick={() => ask("export")}>Export…</Button>
          <Show when={asking() === "export"}>
            <ExportDialog onClose={done} />
          </Show>
        </>
      }
    >
      <Menu
        label="More actions"
        trigger={<Ellipsis size={16} aria-hidden="true" />}
        items={items()}
      />
      <Show when={summary()?.draft === false}>
        <Button onClick={() => ask("pause")}>Pause pipeline…</Button>
        <Button onClick={() => ask("undeploy")}>Undeploy</Button>
      </Show>
      <Show when={paused() && summary()?.pausedVersion}>
        {(version) => (
          <Button loading={busy()} onClick={() => void resume(version())}>
            Resume
          </Button>
        )}
      </Show>
      <Button variant="primary" onClick={() => setParams({ deploy: "review" }, { scroll: false })}>
        Deploy…
      </Button>
      <RenameDialog open={asking() === "rename"} onOpenChange={(open) => !open && done()} />
      <CloneDialog open={asking() === "clone"} onOpenChange={(open) => !open && done()} />
      <Show when={asking() === "promote"}>
        <PromoteSheet onClose={done} />
      </Show>
      <Show when={asking() === "export"}>
        <ExportDialog onClose={done} />
      </Show>
      <StopDialog
        what={asking() === "pause" || asking() === "undeploy" ? (asking() as Stop) : undefined}
        onClose={done}
        onUndo={(version) => void resume(version)}
      />
      <Show when={asking() === "template"}>
        <SaveAsTemplate pipelineId={pipeline.id} open onOpenChange={(open) => !open && done()} />
      </Show>
      <ConfirmDialog
        open={asking() === "delete"}
        onOpenChange={(open) => !open && done()}
        title={`Delete ${name()}?`}
        confirmLabel="Delete pipeline"
        typeName={name()}
        busy={busy()}
        error={error()}
        onConfirm={() => void remove()}
      >
        <p>
          Hosts that run it stop it, and the pipeline, its versions and its series are removed. What
          was done with it stays in the audit. This cannot be undone.
        </p>
      </ConfirmDialog>
    </Show>
  );
}
