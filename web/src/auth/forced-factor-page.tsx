import type { JSX } from "solid-js";

import { SecondFactorSetup } from "../access/second-factor-setup.tsx";
import { useSession } from "../state/session.tsx";
import { Button } from "../ui/button.tsx";
import { createAction } from "../ui/action.ts";
import { AuthCard } from "./auth-card.tsx";

/** Stands before everything else while a team requires a second factor that one has not. */
export function ForcedFactorPage(): JSX.Element {
  const session = useSession();
  const action = createAction();
  return (
    <AuthCard
      title="Set up a second factor"
      lead="A team of yours requires it. Nothing else works before it is on."
    >
      <SecondFactorSetup onDone={session.signedIn} />
      <Button variant="ghost" onClick={() => void action.run(session.signOut)}>
        Sign out
      </Button>
    </AuthCard>
  );
}
