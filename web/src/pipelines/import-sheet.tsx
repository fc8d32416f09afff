import { useNavigate } from "@solidjs/router";
import { createSignal, Show, type JSX } from "solid-js";

import type { ReadConfigurationResponse } from "#gen/vectorflow/v1/import_service_pb.ts";

import { toUiError, type UiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { TextArea, TextField } from "../ui/field.tsx";
import { ErrorBox, Skeleton } from "../ui/feedback.tsx";
import { showToast } from "../ui/toast.tsx";
import { droppedFiles, pathOf, readFiles, refuseFiles, type ChosenFile } from "./chosen-files.ts";
import { ImportFindings } from "./import-findings.tsx";

/** Brings a configuration that runs somewhere in: shows what was found before anything is made of it. */
export function ImportSheet(props: { onClose: () => void }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const [found, setFound] = createSignal<ReadConfigurationResponse>();
  const [reading, setReading] = createSignal(false);
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<Pick<UiError, "message">>();
  const [name, setName] = createSignal("");
  const [pasted, setPasted] = createSignal("");

  const read = async (chosen: () => Promise<readonly ChosenFile[]>): Promise<void> => {
    setReading(true);
    setError(undefined);
    setFound(undefined);
    try {
      const files = await chosen();
      const answer = await clients.imports.readConfiguration({
        environmentId: environment.id(),
        files: files.map(({ path, content }) => ({ path, content })),
      });
      setFound(answer);
      if (name().trim() === "") setName(answer.name);
    } catch (thrown) {
      setError(toUiError(thrown));
    } finally {
      setReading(false);
    }
  };
  const take = (files: readonly { readonly path: string; readonly file: File }[]): void => {
    const refused = refuseFiles(files.map(({ file }) => file));
    if (refused !== undefined) setError({ message: refused });
    else void read(() => readFiles(files));
  };
  const create = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const { pipeline } = await clients.pipelines.createPipeline({
        environmentId: environment.id(),
        name: name().trim(),
        yaml: found()?.yaml ?? "",
      });
      navigate(`${environment.path("pipelines", pipeline?.summary?.id ?? "")}?tab=edit`);
      showToast(`${pipeline?.summary?.name ?? "It"} is a draft: no host runs it before a deploy`);
    } catch (thrown) {
      setError(toUiError(thrown));
    } finally {
      setBusy(false);
    }
  };
  const block = (): string | undefined => {
    const answer = found();
    if (answer === undefined) return "Choose files first";
    if (answer.fileProblems.length > 0) return "The files have problems";
    if (answer.yaml === "") return "Nothing was found";
    return name().trim() === "" ? "Give the pipeline a name" : undefined;
  };

  return (
    <Dialog
      sheet
      open
      onOpenChange={() => props.onClose()}
      title="Import a configuration"
      description="YAML, TOML or JSON as Vector has it; several files or a folder are merged as Vector merges them."
      footer={
        <>
          <Button onClick={() => props.onClose()}>Cancel</Button>
          <Button
            variant="primary"
            loading={busy()}
            disabledReason={block()}
            onClick={() => void create()}
          >
            Create draft
          </Button>
        </>
      }
    >
      <FileChooser onFiles={take} />
      <details>
        <summary>Paste a text instead</summary>
        <div class="stack">
          <TextArea
            label="Configuration"
            rows={8}
            spellcheck={false}
            value={pasted()}
            onValue={setPasted}
          />
          <div class="form-actions">
            <Button
              disabledReason={pasted().trim() === "" ? "Paste a text first" : undefined}
              onClick={() => {
                const content = new TextEncoder().encode(pasted());
                const refused = refuseFiles([{ size: content.length }]);
                if (refused !== undefined) setError({ message: refused });
                else void read(async () => [{ path: "", content }]);
              }}
            >
              Read it
            </Button>
          </div>
        </div>
      </details>
      <Show when={error()}>
        {(problem) => <ErrorBox title="Not imported." error={problem()} />}
      </Show>
      <Show when={reading()}>
        <Skeleton rows={4} label="Reading" />
      </Show>
      <Show when={found()}>
        {(answer) => (
          <>
            <ImportFindings found={answer()} />
            <Show when={answer().fileProblems.length === 0}>
              <TextField
                label="Name"
                value={name()}
                onValue={setName}
                autocomplete="off"
                hint="Letters, digits, spaces, _ and -."
              />
            </Show>
          </>
        )}
      </Show>
    </Dialog>
  );
}

/** Takes files by a button or by dropping them. */
function FileChooser(props: {
  onFiles: (files: readonly { readonly path: string; readonly file: File }[]) => void;
}): JSX.Element {
  const [over, setOver] = createSignal(false);
  const chosen = (input: HTMLInputElement): void => {
    const files = [...(input.files ?? [])].map((file) => ({ path: pathOf(file), file }));
    // The same files may be chosen again after they were mended.
    input.value = "";
    if (files.length > 0) props.onFiles(files);
  };
  let filesInput: HTMLInputElement | undefined;
  let folderInput: HTMLInputElement | undefined;
  return (
    <div
      class="drop-zone"
      data-over={over() ? "" : undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        if (event.dataTransfer) void droppedFiles(event.dataTransfer).then(props.onFiles);
      }}
    >
      <p>Drop files or a folder here, or choose them.</p>
      <div class="inline">
        <Button onClick={() => filesInput?.click()}>Choose files</Button>
        <Button onClick={() => folderInput?.click()}>Choose a folder</Button>
      </div>
      <input
        ref={(element) => (filesInput = element)}
        class="visually-hidden"
        type="file"
        multiple
        accept=".yaml,.yml,.toml,.json"
        aria-label="Files of a configuration"
        tabIndex={-1}
        onChange={(event) => chosen(event.currentTarget)}
      />
      <input
        ref={(element) => {
          folderInput = element;
          element.setAttribute("webkitdirectory", "");
        }}
        class="visually-hidden"
        type="file"
        multiple
        aria-label="Folder of a configuration"
        tabIndex={-1}
        onChange={(event) => chosen(event.currentTarget)}
      />
    </div>
  );
}
