import type { JSX } from "solid-js";

import { PageHeader } from "../ui/page.tsx";
import { CertificatesSection } from "./certificates-section.tsx";
import { SecretsSection } from "./secrets-section.tsx";

import "./secrets.css";

/** What pipelines of the environment may refer to without having it in their text. */
export function SecretsPage(): JSX.Element {
  return (
    <div class="page">
      <PageHeader title="Secrets and certificates" />
      <SecretsSection />
      <CertificatesSection />
    </div>
  );
}
