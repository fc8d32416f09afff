import Ellipsis from "lucide-solid/icons/ellipsis";
import { createSignal, Show, type JSX } from "solid-js";

import type { User } from "#gen/vectorflow/v1/user_pb.ts";

import { useApi } from "../state/api.tsx";
import { createAction } from "../ui/action.ts";
import { Button } from "../ui/button.tsx";
import { ConfirmDialog, Dialog } from "../ui/dialog.tsx";
import { Menu, type MenuItem } from "../ui/menu.tsx";
import { showToast } from "../ui/toast.tsx";
import { ShownOnce } from "./shown-once.tsx";

type Question = "lock" | "reset" | "factor" | "link" | "demote" | "promote" | "delete";

const questions: Record<Question, { label: string; title: string; text: string }> = {
  lock: {
    label: "Lock account",
    title: "Lock",
    text: "Their sessions, API tokens and open pages end within seconds, until you unlock the account.",
  },
  reset: {
    label: "Reset password",
    title: "Reset the password of",
    text: "They get a temporary password, which is shown once, and are signed out everywhere.",
  },
  factor: {
    label: "Take second factor",
    title: "Take the second factor from",
    text: "For somebody who lost the app and the backup codes. They are signed out everywhere.",
  },
  link: {
    label: "Allow provider link",
    title: "Allow the provider link of",
    text: "The provider's account with the same e-mail becomes this one at its next sign-in. Do this only when you know that both are the same person's.",
  },
  promote: {
    label: "Make super admin",
    title: "Make a super admin of",
    text: "They may do everything in every team then. They sign in again.",
  },
  demote: {
    label: "Take super admin rights",
    title: "Take super admin rights from",
    text: "They keep the roles of their teams. They sign in again.",
  },
  delete: {
    label: "Delete account",
    title: "Delete",
    text: "Their sessions, API tokens and memberships go. What they did stays in the audit.",
  },
};

/** What a super admin can do with somebody else's account. */
export function UserActions(props: { user: User; onChanged: () => void }): JSX.Element {
  const { clients } = useApi();
  const action = createAction();
  const [asking, setAsking] = createSignal<Question>();
  const [password, setPassword] = createSignal<string>();
  const ask = (question: Question): void => {
    action.reset();
    setAsking(question);
  };
  const item = (question: Question, tone?: "bad"): MenuItem => ({
    label: `${questions[question].label}…`,
    ...(tone && { tone }),
    onSelect: () => ask(question),
  });
  const items = (): MenuItem[] => [
    item("reset"),
    ...(props.user.hasPassword && !props.user.providerLinkAllowed ? [item("link")] : []),
    ...(props.user.secondFactor ? [item("factor")] : []),
    item(props.user.superAdmin ? "demote" : "promote"),
    item("delete", "bad"),
  ];
  const carryOut = async (question: Question): Promise<void> => {
    const { id } = props.user;
    const worked = await action.run(async () => {
      if (question === "reset") {
        setPassword((await clients.users.resetPassword({ id })).temporaryPassword);
      } else if (question === "link") await clients.users.allowProviderLink({ id });
      else if (question === "factor") await clients.users.resetSecondFactor({ id });
      else if (question === "delete") await clients.users.deleteUser({ id });
      else if (question === "lock") await clients.users.updateUser({ id, locked: true });
      else await clients.users.updateUser({ id, superAdmin: question === "promote" });
    });
    if (!worked) return;
    setAsking(undefined);
    props.onChanged();
  };
  const unlock = async (): Promise<void> => {
    const { id, name } = props.user;
    if (await action.run(() => clients.users.updateUser({ id, locked: false }))) {
      showToast(`${name} can sign in again`);
      props.onChanged();
    } else showToast(action.error() ?? "", "bad");
  };
  const lockedForAWhile = (): boolean =>
    Number(props.user.lockedUntilTime?.seconds ?? 0) * 1000 > Date.now();
  return (
    <div class="row-actions">
      <Show
        when={props.user.locked || lockedForAWhile()}
        fallback={<Button onClick={() => ask("lock")}>Lock</Button>}
      >
        <Button loading={action.busy()} onClick={() => void unlock()}>
          Unlock
        </Button>
      </Show>
      <Menu
        label={`More actions for ${props.user.email}`}
        trigger={<Ellipsis size={16} aria-hidden="true" />}
        items={items()}
      />
      <ConfirmDialog
        open={asking() !== undefined}
        onOpenChange={(open) => !open && setAsking(undefined)}
        title={`${questions[asking() ?? "lock"].title} ${props.user.name}?`}
        confirmLabel={questions[asking() ?? "lock"].label}
        {...(asking() === "delete" && { typeName: props.user.email })}
        busy={action.busy()}
        error={action.error()}
        onConfirm={() => void carryOut(asking() ?? "lock")}
      >
        <p>{questions[asking() ?? "lock"].text}</p>
      </ConfirmDialog>
      <Dialog
        open={password() !== undefined}
        onOpenChange={(open) => !open && setPassword(undefined)}
        title="The password is reset"
        footer={<Button onClick={() => setPassword(undefined)}>Done</Button>}
      >
        <p>Give {props.user.email} this temporary password. It is not shown again.</p>
        <ShownOnce label="Temporary password" value={password() ?? ""} />
      </Dialog>
    </div>
  );
}
