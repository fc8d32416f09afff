import { pruneCertificates, writeCertificates } from "../secrets/certificate-files.ts";
import type { SecretTicket } from "../secrets/secret-server.ts";
import { readIfPresent, writeFileAtomically } from "../state/atomic-file.ts";
import type { PipelinePaths } from "../state/pipeline-store.ts";
import type { Built } from "./build.ts";

interface Reader {
  escape(text: string): string;
}

/**
 * The files that one pipeline's process starts from, and the secrets it is answered with. They always
 * are those of the running process: whatever makes Vector read again reads the same.
 */
export class ConfigFiles {
  readonly #paths: PipelinePaths;
  readonly #ticket: SecretTicket;
  #staged: { readonly built: Built; readonly text: string } | undefined;

  constructor(paths: PipelinePaths, ticket: SecretTicket) {
    this.#paths = paths;
    this.#ticket = ticket;
  }

  /**
   * Puts everything in its place, by rename: Vector dies when its configuration is missing.
   *
   * @param reader how the Vector that reads it wants its text.
   */
  async stage(built: Built, reader: Reader): Promise<void> {
    await writeCertificates(this.#paths.certificates, built.body.certificates);
    this.#ticket.offer(built.secrets);
    const text = reader.escape(built.text);
    await writeFileAtomically(this.#paths.config, text);
    this.#staged = { built, text };
  }

  /** Deletes what the staged configuration does not need. */
  async prune(): Promise<void> {
    const used = this.#staged?.built.body.certificates ?? [];
    await pruneCertificates(this.#paths.certificates, used);
  }

  /** Writes again what somebody else changed or deleted. Returns whether that was needed. */
  async repair(): Promise<boolean> {
    if (this.#staged === undefined) return false;
    const { built, text } = this.#staged;
    const wrote = await writeCertificates(this.#paths.certificates, built.body.certificates);
    if ((await readIfPresent(this.#paths.config)) === text) return wrote;
    await writeFileAtomically(this.#paths.config, text);
    return true;
  }
}
