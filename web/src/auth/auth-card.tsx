import { createEffect, type JSX } from "solid-js";

import { BrandMark } from "../shell/brand-mark.tsx";

import "./auth.css";

/** The frame of pages that nobody is signed in on. */
export function AuthCard(props: {
  title: string;
  lead?: string;
  children: JSX.Element;
}): JSX.Element {
  createEffect(() => {
    document.title = `${props.title} · VectorFlow`;
  });
  return (
    <main class="auth">
      <div class="auth-card">
        <div class="auth-brand">
          <BrandMark /> VectorFlow
        </div>
        <h1>{props.title}</h1>
        <p class="muted auth-lead">{props.lead ?? ""}</p>
        {props.children}
      </div>
    </main>
  );
}
