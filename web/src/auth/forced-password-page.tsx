import type { JSX } from "solid-js";

import { PasswordForm } from "../access/password-form.tsx";
import { toUiError } from "../api/errors.ts";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { showToast } from "../ui/toast.tsx";
import { AuthCard } from "./auth-card.tsx";

/** Stands before everything else while the password is a temporary one. */
export function ForcedPasswordPage(): JSX.Element {
  const session = useSession();
  const signOut = async (): Promise<void> => {
    try {
      await session.signOut();
    } catch (thrown) {
      showToast(toUiError(thrown).message, "bad");
    }
  };
  return (
    <AuthCard
      title="Choose a password"
      lead="The one you signed in with is temporary. Nothing else works before you replace it."
    >
      <PasswordForm
        class="auth-form"
        currentLabel="Temporary password"
        onChanged={session.signedIn}
      />
      <Button variant="ghost" onClick={() => void signOut()}>
        Sign out
      </Button>
    </AuthCard>
  );
}
