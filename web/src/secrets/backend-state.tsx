import { Show, type JSX } from "solid-js";

import type { SecretBackendHealth } from "#gen/vectorflow/v1/secret_backend_pb.ts";
import type { Secret } from "#gen/vectorflow/v1/secret_pb.ts";

import { SecretBackendService } from "#gen/vectorflow/v1/secret_backend_service_pb.ts";

import { millisOf } from "../lib/time.ts";
import { useEnvironment } from "../state/environment.tsx";
import { useLive } from "../state/live.tsx";
import { useClient } from "../state/use-client.ts";
import { createAction } from "../ui/action.ts";
import { Ago } from "../ui/ago.tsx";
import { Button } from "../ui/button.tsx";
import { Notice } from "../ui/feedback.tsx";
import { showToast } from "../ui/toast.tsx";
import { backendName, failureText, referenceText } from "./backend-words.ts";

/** Reads every secret from its backend again. */
export function ReadNow(props: { onDone: (text: string) => void }): JSX.Element {
  const backends = useClient(SecretBackendService);
  const environment = useEnvironment();
  const action = createAction();
  const refresh = async (): Promise<void> => {
    const done = await action.run(async () => {
      const { readCount, failedCount, changedNames, pipelineNames } = await backends.refreshSecrets(
        { environmentId: environment.id() },
      );
      const failed = failedCount === 0 ? "" : `, ${failedCount} could not be`;
      const changed =
        changedNames.length === 0 ? "nothing changed" : `changed: ${changedNames.join(", ")}`;
      const reached =
        pipelineNames.length === 0 ? "" : `; hosts get it now: ${pipelineNames.join(", ")}`;
      props.onDone(`${readCount} read${failed}; ${changed}${reached}`);
    });
    if (!done) showToast(action.error() ?? "It could not be read");
  };
  return (
    <Button loading={action.busy()} onClick={() => void refresh()}>
      Read now
    </Button>
  );
}

/** Says since when a backend does not answer, and that nothing changes for what runs. */
export function Outage(props: { health: SecretBackendHealth }): JSX.Element {
  const live = useLive();
  return (
    <Show when={failureText(props.health.failure)}>
      {(what) => (
        <Notice tone="bad">
          {backendName(props.health.backend)} fails: {what()}. It began{" "}
          <Ago ms={millisOf(props.health.failingSinceTime)} now={live.now()} />. Hosts go on with
          the last good values.
        </Notice>
      )}
    </Show>
  );
}

/** Where a value comes from, and how old it is when its backend fails. */
export function Source(props: { secret: Secret; failing: boolean }): JSX.Element {
  const live = useLive();
  return (
    <Show when={props.secret.reference}>
      {(reference) => (
        <>
          <p class="field-note">{referenceText(reference())}</p>
          <Show
            when={failureText(props.secret.failure)}
            fallback={
              <Show when={props.failing && millisOf(props.secret.readTime)}>
                {(ms) => (
                  <p class="field-note">
                    Last good value from <Ago ms={ms()} now={live.now()} />.
                  </p>
                )}
              </Show>
            }
          >
            {(what) => (
              <p class="field-note" data-error="">
                Not read: {what()}.{" "}
                <Show when={millisOf(props.secret.readTime)} fallback="It has no value yet.">
                  {(ms) => (
                    <>
                      Last good value from <Ago ms={ms()} now={live.now()} />.
                    </>
                  )}
                </Show>
              </p>
            )}
          </Show>
        </>
      )}
    </Show>
  );
}
