import { createSignal, For, Show, type JSX } from "solid-js";

import { ConfigurationFormat } from "#gen/vectorflow/v1/import_service_pb.ts";

import { toUiError } from "../api/errors.ts";
import { downloadText } from "../lib/download-text.ts";
import { useApi } from "../state/api.tsx";
import { Button } from "../ui/button.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { Select } from "../ui/field.tsx";
import { Notice } from "../ui/feedback.tsx";
import { FormError } from "../ui/form-error.tsx";
import { usePipeline } from "./pipeline-context.tsx";

const formats = {
  yaml: { format: ConfigurationFormat.YAML, label: "YAML, as it was written" },
  toml: { format: ConfigurationFormat.TOML, label: "TOML, without comments" },
  json: { format: ConfigurationFormat.JSON, label: "JSON, without comments" },
} as const;

/** Downloads the draft, or what a version was made of, as a file for Vector. */
export function ExportDialog(props: { onClose: () => void; version?: number }): JSX.Element {
  const { clients } = useApi();
  const pipeline = usePipeline();
  const [format, setFormat] = createSignal<keyof typeof formats>("yaml");
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();
  const [notices, setNotices] = createSignal<readonly string[]>([]);
  const download = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    setNotices([]);
    try {
      if (props.version === undefined) await pipeline.draft.flush();
      const made = await clients.imports.exportPipeline({
        id: pipeline.id,
        version: props.version ?? 0,
        format: formats[format()].format,
      });
      downloadText(made.filename, made.content);
      setNotices(made.notices);
      if (made.notices.length === 0) props.onClose();
    } catch (thrown) {
      setError(toUiError(thrown).message);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open
      onOpenChange={() => props.onClose()}
      title={props.version === undefined ? "Export the draft" : `Export version ${props.version}`}
      description="A configuration of Vector. Secrets and certificates stand in it as SECRET[name] and CERT[name]."
      footer={
        <>
          <Button onClick={() => props.onClose()}>Close</Button>
          <Button variant="primary" loading={busy()} onClick={() => void download()}>
            Download
          </Button>
        </>
      }
    >
      <Select
        label="Format"
        value={format()}
        onValue={setFormat}
        options={(["yaml", "toml", "json"] as const).map((value) => ({
          value,
          label: formats[value].label,
        }))}
      />
      <Show when={notices().length > 0}>
        <Notice tone="info">
          <strong>Downloaded.</strong>
          <ul class="problem-list">
            <For each={notices()}>{(notice) => <li>{notice}</li>}</For>
          </ul>
        </Notice>
      </Show>
      <FormError text={error()} />
    </Dialog>
  );
}
