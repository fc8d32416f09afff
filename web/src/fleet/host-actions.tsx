import { useNavigate } from "@solidjs/router";
import Ellipsis from "lucide-solid/icons/ellipsis";
import { createSignal, Show, type JSX } from "solid-js";

import type { Node } from "#gen/vectorflow/v1/node_pb.ts";

import { toUiError } from "../api/errors.ts";
import { useApi } from "../state/api.tsx";
import { useEnvironment } from "../state/environment.tsx";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog } from "../ui/dialog.tsx";
import { Menu } from "../ui/menu.tsx";
import { showToast } from "../ui/toast.tsx";

/** What one can do with a host. Maintenance stops its pipelines, so starting it asks first. */
export function HostActions(props: { host: Node }): JSX.Element {
  const { clients } = useApi();
  const environment = useEnvironment();
  const navigate = useNavigate();
  const [asking, setAsking] = createSignal<"maintenance" | "delete">();
  const [busy, setBusy] = createSignal(false);
  const [error, setError] = createSignal<string>();

  const run = async (action: () => Promise<void>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await action();
      setAsking(undefined);
    } catch (thrown) {
      const { message } = toUiError(thrown);
      if (asking() === undefined) showToast(message, "bad");
      else setError(message);
    } finally {
      setBusy(false);
    }
  };
  const setMaintenance = (maintenance: boolean): Promise<void> =>
    run(async () => {
      await clients.nodes.updateNode({ id: props.host.id, maintenance });
      showToast(
        maintenance ? `${props.host.name} is in maintenance` : `${props.host.name} is back at work`,
      );
    });
  const remove = (): Promise<void> =>
    run(async () => {
      const { name } = props.host;
      await clients.nodes.deleteNode({ id: props.host.id });
      navigate(environment.path("hosts"));
      showToast(`${name} was removed`);
    });
  const ask = (what: "maintenance" | "delete"): void => {
    setError(undefined);
    setAsking(what);
  };

  return (
    <Show when={environment.canEdit()}>
      <Show
        when={props.host.maintenance}
        fallback={<Button onClick={() => ask("maintenance")}>Start maintenance</Button>}
      >
        <Button variant="primary" loading={busy()} onClick={() => void setMaintenance(false)}>
          End maintenance
        </Button>
      </Show>
      <Show when={environment.canAdmin()}>
        <Menu
          label="More actions"
          trigger={<Ellipsis size={16} aria-hidden="true" />}
          items={[{ label: "Delete host…", tone: "bad", onSelect: () => ask("delete") }]}
        />
      </Show>
      <ConfirmDialog
        open={asking() === "maintenance"}
        onOpenChange={(open) => !open && setAsking(undefined)}
        title={`Put ${props.host.name} into maintenance?`}
        confirmLabel="Start maintenance"
        busy={busy()}
        error={error()}
        onConfirm={() => void setMaintenance(true)}
      >
        <p>All pipelines on this host stop until maintenance ends. Nothing is deleted.</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={asking() === "delete"}
        onOpenChange={(open) => !open && setAsking(undefined)}
        title={`Delete ${props.host.name}?`}
        confirmLabel="Delete host"
        typeName={props.host.name}
        busy={busy()}
        error={error()}
        onConfirm={() => void remove()}
      >
        <p>
          The host and its series are removed, and its token stops working. What runs on the machine
          goes on running until its agent is stopped there.
        </p>
      </ConfirmDialog>
    </Show>
  );
}
