import { useNavigate, useSearchParams } from "@solidjs/router";
import Ellipsis from "lucide-solid/icons/ellipsis";
import { createSignal, lazy, Show, type JSX } from "solid-js";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { TextField } from "../ui/field.tsx";
import { Menu } from "../ui/menu.tsx";
import { showToast } from "../ui/toast.tsx";
import { usePipeline } from "./pipeline-context.tsx";
import { RenameDialog } from "./rename-dialog.tsx";

const SaveAsTemplate = lazy(async () => ({
  default: (await import("../library/save-as-template.tsx")).SaveAsTemplate,
}));

/** Deploy, undeploy, rename, delete. */
export function PipelineActions(): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const pipeline = usePipeline();
  const [, setParams] = useSearchParams();
  const [asking, setAsking] = createSignal<"undeploy" | "delete" | "rename" | "template">();
  const [reason, setReason] = createSignal("");
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const name = (): string => pipeline.live().summary?.name ?? "";

  const ask = (what: "undeploy" | "delete" | "rename" | "template"): void => {
    setError(undefined);
    setReason("");
    setAsking(what);
  };
  const run = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
      setAsking(undefined);
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  const undeploy = (): Promise<void> =>
    run(async () => {
      await clients.pipelines.undeployPipeline({ id: pipeline.id, reason: reason().trim() });
      showToast(`${name()} is taken off all hosts`);
    });
  const remove = (): Promise<void> =>
    run(async () => {
      const deleted = name();
      await clients.pipelines.deletePipeline({ id: pipeline.id });
      navigate(environment.path("pipelines"));
      showToast(`${deleted} was deleted`);
    });

  return (
    <Show when={environment.canEdit()}>
      <Menu
        label="More actions"
        trigger={<Ellipsis size={16} aria-hidden="true" />}
        items={[
          { label: "Rename…", onSelect: () => ask("rename") },
          { label: "Save as template…", onSelect: () => ask("template") },
          { label: "Delete…", tone: "bad", onSelect: () => ask("delete") },
        ]}
      />
      <Show when={pipeline.live().summary?.draft === false}>
        <Button onClick={() => ask("undeploy")}>Undeploy</Button>
      </Show>
      <Button variant="primary" onClick={() => setParams({ deploy: "review" }, { scroll: false })}>
        Deploy…
      </Button>
      <RenameDialog open={asking() === "rename"} onOpenChange={(open) => !open && setAsking()} />
      <Show when={asking() === "template"}>
        <SaveAsTemplate
          pipelineId={pipeline.id}
          open
          onOpenChange={(open) => !open && setAsking()}
        />
      </Show>
      <ConfirmDialog
        open={asking() === "undeploy"}
        onOpenChange={(open) => !open && setAsking(undefined)}
        title={`Undeploy ${name()}?`}
        confirmLabel="Undeploy"
        busy={busy()}
        error={error()}
        onConfirm={() => void undeploy()}
      >
        <p>All hosts stop running it. The draft and the versions stay.</p>
        <TextField label="Reason" value={reason()} onValue={setReason} autocomplete="off" />
      </ConfirmDialog>
      <ConfirmDialog
        open={asking() === "delete"}
        onOpenChange={(open) => !open && setAsking(undefined)}
        title={`Delete ${name()}?`}
        confirmLabel="Delete pipeline"
        typeName={name()}
        busy={busy()}
        error={error()}
        onConfirm={() => void remove()}
      >
        <p>
          The pipeline, its versions and its series are removed. Hosts that run it stop it. This
          cannot be undone.
        </p>
      </ConfirmDialog>
    </Show>
  );
}
