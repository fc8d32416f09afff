import { createContext, createSignal, type Accessor, type JSX } from "solid-js";

import type { CurrentUser } from "#gen/vectorflow/v1/auth_pb.ts";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";

import type { UiError } from "../api/errors.ts";
import { useApi } from "./api.tsx";
import { useRead } from "./create-read.ts";
import { requireContext } from "./required-context.ts";

export type SessionState =
  | { readonly kind: "loading" }
  | { readonly kind: "signed-in"; readonly user: CurrentUser }
  | { readonly kind: "signed-out" }
  | { readonly kind: "failed"; readonly error: UiError };

export interface Session {
  readonly state: Accessor<SessionState>;
  /** Who is signed in; undefined when nobody is, or while that is not known. */
  readonly user: Accessor<CurrentUser | undefined>;
  /** Call after the server has set the cookie. */
  readonly signedIn: (user: CurrentUser) => void;
  /** The same person has changed. */
  readonly updated: (user: CurrentUser) => void;
  readonly signOut: () => Promise<void>;
  /** The server says that the session is over. */
  readonly expire: () => void;
  readonly retry: () => void;
}

const SessionContext = createContext<Session>();

export function useSession(): Session {
  return requireContext(SessionContext, "SessionProvider");
}

/** Who is signed in. Above it somebody holds `expired`, which any failed request may set. */
export function SessionProvider(props: {
  expired: Accessor<boolean>;
  setExpired: (expired: boolean) => void;
  children: JSX.Element;
}): JSX.Element {
  const { clients, queryClient } = useApi();
  const read = useRead(AuthService.method.getSession, () => ({}), { staleTime: 5 * 60_000 });
  const [known, setKnown] = createSignal<CurrentUser>();

  const state = (): SessionState => {
    if (props.expired()) return { kind: "signed-out" };
    const user = known() ?? read.data()?.user;
    if (user) return { kind: "signed-in", user };
    const error = read.error();
    if (error === undefined) return { kind: "loading" };
    return error.kind === "signed_out" ? { kind: "signed-out" } : { kind: "failed", error };
  };

  const session: Session = {
    state,
    user() {
      const current = state();
      return current.kind === "signed-in" ? current.user : undefined;
    },
    updated: (user) => setKnown(user),
    signedIn(user) {
      // Whatever was cached belongs to somebody else, or to nobody.
      queryClient.clear();
      setKnown(user);
      props.setExpired(false);
    },
    async signOut() {
      await clients.auth.logout({});
      setKnown(undefined);
      props.setExpired(true);
      queryClient.clear();
    },
    expire: () => props.setExpired(true),
    retry: read.refetch,
  };
  return <SessionContext.Provider value={session}>{props.children}</SessionContext.Provider>;
}
