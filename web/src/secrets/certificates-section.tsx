import { createSignal, For, Show, type JSX } from "solid-js";

import { CertificateService } from "#gen/vectorflow/v1/certificate_service_pb.ts";
import { CertificateType, type Certificate } from "#gen/vectorflow/v1/secret_pb.ts";

import { formatAbsolute, millisOf } from "../lib/time.ts";
import { useApi } from "../state/api.tsx";
import { useReadAll } from "../state/create-read.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { EmptyState } from "../ui/feedback.tsx";
import { StateMark } from "../ui/mark.tsx";
import { Section } from "../ui/page.tsx";
import { MoreRows } from "../ui/pager.tsx";
import { PlainTable } from "../ui/plain-table.tsx";
import { QueryView } from "../ui/query-view.tsx";
import { showToast } from "../ui/toast.tsx";
import { CertificateForm } from "./certificate-form.tsx";
import { expiryOf } from "./expiry.ts";
import { deployedNames, MissingNotice, Uses } from "./uses.tsx";

const typeNames: Partial<Record<CertificateType, string>> = {
  [CertificateType.CA]: "Authority",
  [CertificateType.CERT]: "Certificate",
  [CertificateType.KEY]: "Private key",
};

/** The certificates and keys of the environment, and when they end. */
export function CertificatesSection(): JSX.Element {
  const environment = useEnvironment();
  const read = useReadAll(
    CertificateService.method.listCertificates,
    () => ({ environmentId: environment.id() }),
    { staleTime: 0 },
  );
  const [creating, setCreating] = createSignal(false);
  const done = (text: string): void => {
    setCreating(false);
    showToast(text);
    read.refetch();
  };
  return (
    <Section
      title="Certificates"
      flush
      actions={
        <Show when={environment.canEdit()}>
          <Button variant="primary" onClick={() => setCreating(true)}>
            Add certificate
          </Button>
        </Show>
      }
    >
      <QueryView read={read}>
        {(answer) => (
          <>
            <MissingNotice kind="CERT" missing={answer().missing} />
            <Show
              when={answer().certificates.length > 0}
              fallback={
                <EmptyState title="No certificates">
                  Write <code>CERT[name]</code> where Vector expects the path of a file, as in{" "}
                  <code>tls.ca_file</code>. Hosts that run the pipeline get the file.
                </EmptyState>
              }
            >
              <PlainTable label="Certificates" head={["Name", "Type", "Ends", "Used by", ""]}>
                <For each={answer().certificates}>
                  {(certificate) => (
                    <CertificateRow certificate={certificate} onChanged={read.refetch} />
                  )}
                </For>
              </PlainTable>
              <MoreRows nextPageToken={answer().nextPageToken} />
            </Show>
          </>
        )}
      </QueryView>
      <CertificateForm open={creating()} onOpenChange={setCreating} onDone={done} />
    </Section>
  );
}

function CertificateRow(props: { certificate: Certificate; onChanged: () => void }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const action = createAction();
  const [asking, setAsking] = createSignal<"replace" | "delete">();
  const name = (): string => props.certificate.name;
  const ask = (what: "replace" | "delete"): void => {
    action.reset();
    setAsking(what);
  };
  const close = (open: boolean): void => {
    if (!open) setAsking(undefined);
  };
  const done = (text: string): void => {
    setAsking(undefined);
    showToast(text);
    props.onChanged();
  };
  const remove = async (): Promise<void> => {
    const { environmentId, id, uses } = props.certificate;
    const request = { environmentId, id, confirmInUse: deployedNames(uses) !== "" };
    if (await action.run(() => clients.certificates.deleteCertificate(request))) {
      done(`The certificate ${name()} was deleted`);
    }
  };
  return (
    <tr>
      <th scope="row">
        <code>{name()}</code>
        <p class="field-note">{props.certificate.facts?.subject ?? props.certificate.filename}</p>
      </th>
      <td>{typeNames[props.certificate.type] ?? "Unknown"}</td>
      <td>
        <Expiry certificate={props.certificate} />
      </td>
      <td>
        <Uses uses={props.certificate.uses} />
      </td>
      <td>
        <Show when={environment.canEdit()}>
          <div class="row-buttons">
            <Button aria-label={`Replace ${name()}`} onClick={() => ask("replace")}>
              Replace
            </Button>
            <Button aria-label={`Delete ${name()}`} onClick={() => ask("delete")}>
              Delete
            </Button>
          </div>
          <CertificateForm
            certificate={props.certificate}
            open={asking() === "replace"}
            onOpenChange={close}
            onDone={done}
          />
          <ConfirmDialog
            open={asking() === "delete"}
            onOpenChange={close}
            title={`Delete the certificate ${name()}?`}
            confirmLabel="Delete certificate"
            {...(deployedNames(props.certificate.uses) !== "" && { typeName: name() })}
            busy={action.busy()}
            error={action.error()}
            onConfirm={() => void remove()}
          >
            <Show
              when={deployedNames(props.certificate.uses)}
              fallback={<p>No deployed pipeline uses it.</p>}
            >
              {(names) => (
                <p>
                  Deployed pipelines use it: <strong>{names()}</strong>. Hosts go on with the file
                  they have, and these pipelines cannot be deployed or brought to new hosts until a
                  certificate of this name exists again.
                </p>
              )}
            </Show>
          </ConfirmDialog>
        </Show>
      </td>
    </tr>
  );
}

function Expiry(props: { certificate: Certificate }): JSX.Element {
  const live = useLive();
  const end = (): number | undefined => millisOf(props.certificate.facts?.expireTime);
  return (
    <Show when={end()} fallback={<span class="muted">–</span>}>
      {(ms) => (
        <StateMark tone={expiryOf(ms(), live.now()).tone}>
          <span title={formatAbsolute(ms())}>{expiryOf(ms(), live.now()).text}</span>
        </StateMark>
      )}
    </Show>
  );
}
