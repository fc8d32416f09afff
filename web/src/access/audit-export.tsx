import type { MessageInitShape } from "@bufbuild/protobuf";
import Download from "lucide-solid/icons/download";
import { onCleanup, type JSX } from "solid-js";

import type { AuditFilterSchema } from "#gen/vectorflow/v1/audit_pb.ts";
import { ExportFormat } from "#gen/vectorflow/v1/audit_service_pb.ts";

import { useApi } from "../state/api.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { showToast } from "../ui/toast.tsx";

/** Fetches what the filter finds and offers it as a file. Leaving the page ends it. */
export function AuditExport(props: {
  filter: MessageInitShape<typeof AuditFilterSchema>;
  format: ExportFormat;
  label: string;
}): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const left = new AbortController();
  onCleanup(() => left.abort());
  const save = async (): Promise<void> => {
    const chunks: BlobPart[] = [];
    const { filter, format } = props;
    const csv = format === ExportFormat.CSV;
    const worked = await action.run(async () => {
      const options = { signal: left.signal, timeoutMs: 0 };
      for await (const { chunk } of clients.audit.exportAuditEntries({ filter, format }, options)) {
        chunks.push(new Uint8Array(chunk));
      }
    });
    if (left.signal.aborted) return;
    if (worked) download(new Blob(chunks), csv ? "audit.csv" : "audit.jsonl");
    else showToast(action.error() ?? "", "bad");
  };
  return (
    <Button loading={action.busy()} onClick={() => void save()}>
      <Download size={14} aria-hidden="true" /> {props.label}
    </Button>
  );
}

function download(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
