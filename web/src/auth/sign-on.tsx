import { Show, type JSX } from "solid-js";

import "./auth.css";

const texts: Record<string, string> = {
  account_exists:
    "There is already an account with your e-mail. Sign in with its password, or ask a super admin to allow the link.",
  email_missing: "The provider gave no e-mail address that it has verified.",
  sign_in_lost: "The sign-in took too long or began in another browser. Try again.",
  provider_off: "Signing in through a provider is turned off.",
  too_many_sign_ins: "Too many attempts. Try again in a minute.",
};

/** What a failed sign-in through the provider says; the details are in the audit. */
export function signOnProblem(reason: unknown): string | undefined {
  if (typeof reason !== "string" || reason === "") return undefined;
  return texts[reason] ?? "The provider did not sign you in. Try again, or ask an administrator.";
}

/** Leads to the provider. The router must leave the link alone: its target is no page of ours. */
export function SignOnButton(props: { name: string; target: string }): JSX.Element {
  return (
    <Show when={props.name}>
      <a
        class="button sign-on"
        data-variant="secondary"
        target="_self"
        href={`/auth/oidc/start?return=${encodeURIComponent(props.target)}`}
      >
        <span class="button-content">Sign in with {props.name}</span>
      </a>
      <p class="sign-on-or">or with a password</p>
    </Show>
  );
}
