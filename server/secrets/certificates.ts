import { audit } from "../audit/audit.ts";
import { isSealed } from "../crypto/sealer.ts";
import { newId } from "../db/columns.ts";
import { transact } from "../db/transaction.ts";
import { FieldViolations, notFound } from "../errors.ts";
import { lockDelivery } from "../pipelines/delivery/delivery.ts";
import { teamIdOf } from "../pipelines/pipelines.ts";
import type { Scope } from "../scope.ts";
import { Certificate } from "./certificate.entity.ts";
import { fileTypes, parsePem, type CertificateDetails, type FileType } from "./pem.ts";
import { certificateContext } from "./sealed-context.ts";
import {
  checkName,
  pushValues,
  refuseInUse,
  refuseTooMany,
  translateTaken,
  type Vault,
} from "./stored-values.ts";

const maximumContentBytes = 262_144;

/** A certificate as people see it: never with its content. */
export interface CertificateView {
  readonly id: string;
  readonly environmentId: string;
  readonly name: string;
  readonly filename: string;
  readonly fileType: string;
  readonly details?: CertificateDetails | null | undefined;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** The certificates of an environment by name, after the given one. */
export async function listCertificates(
  scope: Pick<Scope, "em">,
  environmentId: string,
  { after, limit }: { readonly after: string | undefined; readonly limit: number },
): Promise<CertificateView[]> {
  return scope.em.find(
    Certificate,
    { environmentId, ...(after !== undefined && { name: { $gt: after } }) },
    { orderBy: { name: "asc" }, limit },
  );
}

function checkFilename(filename: string, violations: FieldViolations): void {
  if (/^[A-Za-z0-9_][A-Za-z0-9 ._-]{0,127}$/.test(filename)) return;
  violations.add(
    "filename",
    filename === ""
      ? "is required"
      : "may have letters, digits, spaces, _, . and -, at most 128, and no folder",
  );
}

function checkContent(
  content: string,
  fileType: FileType,
  violations: FieldViolations,
): CertificateDetails | null {
  if (Buffer.byteLength(content) > maximumContentBytes) {
    violations.add("content", `must have at most ${maximumContentBytes / 1024} KiB`);
    return null;
  }
  const parsed = parsePem(content, fileType);
  if (parsed.kind === "invalid") violations.add("content", parsed.message);
  return parsed.kind === "certificates" ? parsed.details : null;
}

function digestOf(
  { digests }: Vault,
  file: { environmentId: string; name: string; filename: string },
  content: string,
): string {
  const { environmentId, name, filename } = file;
  return digests.digest(`Certificate/${environmentId}/${name}/${filename}`, content);
}

export interface CertificateInput {
  readonly environmentId: string;
  readonly name: string;
  readonly filename: string;
  readonly fileType: FileType | undefined;
  readonly content: string;
}

/** Stores a file in PEM. Throws `conflict` when the environment has one of that name. */
export async function createCertificate(
  scope: Scope,
  vault: Vault,
  input: CertificateInput,
): Promise<CertificateView> {
  const { environmentId, name, filename, fileType, content } = input;
  const violations = new FieldViolations();
  checkName(name, violations);
  checkFilename(filename, violations);
  if (fileType === undefined) violations.add("type", "is required");
  const details = checkContent(content, fileType ?? "cert", violations);
  violations.throwIfAny();
  return translateTaken("certificate", name, () =>
    transact(scope, async (tx) => {
      await lockDelivery(tx, environmentId);
      await refuseTooMany(tx, environmentId, "certificate");
      const id = newId();
      const now = tx.clock.now();
      const certificate = tx.em.create(Certificate, {
        id,
        name,
        filename,
        environmentId,
        fileType: fileType ?? "cert",
        encryptedData: vault.sealer.seal(certificateContext(id), content),
        contentDigest: digestOf(vault, input, content),
        details,
        createdAt: now,
        updatedAt: now,
      });
      await record(tx, "certificate.created", certificate);
      await tx.em.flush();
      await pushValues(tx, environmentId);
      return certificate;
    }),
  );
}

/** Replaces the file. The same content again changes nothing, here and on hosts. */
export async function updateCertificate(
  scope: Scope,
  vault: Vault,
  input: {
    readonly environmentId: string;
    readonly id: string;
    readonly filename: string;
    readonly content: string;
  },
): Promise<{
  readonly certificate: CertificateView;
  readonly changed: boolean;
  readonly pipelineNames: readonly string[];
}> {
  return transact(scope, async (tx) => {
    await lockDelivery(tx, input.environmentId);
    const certificate = await findCertificate(tx, input);
    const violations = new FieldViolations();
    const filename = input.filename === "" ? certificate.filename : input.filename;
    checkFilename(filename, violations);
    const fileType = fileTypes.find((type) => type === certificate.fileType) ?? "cert";
    const details = checkContent(input.content, fileType, violations);
    violations.throwIfAny();
    const before = { fingerprint: certificate.details?.fingerprint ?? null };
    const context = certificateContext(certificate.id);
    if (
      filename === certificate.filename &&
      isSealed(vault.sealer, context, certificate.encryptedData, input.content)
    ) {
      return { certificate, changed: false, pipelineNames: [] };
    }
    tx.em.assign(certificate, {
      filename,
      details,
      encryptedData: vault.sealer.seal(context, input.content),
      contentDigest: digestOf(vault, { ...input, name: certificate.name, filename }, input.content),
      updatedAt: tx.clock.now(),
    });
    await tx.em.flush();
    const pipelineNames = await pushValues(tx, input.environmentId);
    await record(tx, "certificate.updated", certificate, {
      fingerprint: { before: before.fingerprint, after: details?.fingerprint ?? null },
      pipelines: pipelineNames.slice(0, 50),
    });
    return { certificate, changed: true, pipelineNames };
  });
}

/** Deletes a certificate. What runs with it goes on with the file that hosts have (P2). */
export async function deleteCertificate(
  scope: Scope,
  input: {
    readonly environmentId: string;
    readonly id: string;
    readonly confirmInUse: boolean;
  },
): Promise<void> {
  await transact(scope, async (tx) => {
    const { environmentId, confirmInUse } = input;
    await lockDelivery(tx, environmentId);
    const certificate = await findCertificate(tx, input);
    const { name } = certificate;
    const used = await refuseInUse(tx, environmentId, "certificate", name, confirmInUse);
    await record(tx, "certificate.deleted", certificate, { deployedIn: used.slice(0, 50) });
    tx.em.remove(certificate);
    await tx.em.flush();
    await pushValues(tx, environmentId);
  });
}

async function findCertificate(
  tx: Scope,
  { environmentId, id }: { readonly environmentId: string; readonly id: string },
): Promise<Certificate> {
  const certificate = await tx.em.findOne(Certificate, { id, environmentId });
  if (certificate === null) throw notFound("certificate", id);
  return certificate;
}

async function record(
  tx: Scope,
  action: string,
  certificate: Certificate,
  metadata: Record<string, unknown> = {},
): Promise<void> {
  audit(tx, {
    action,
    entityType: "Certificate",
    entityId: certificate.id,
    teamId: await teamIdOf(tx, certificate.environmentId),
    environmentId: certificate.environmentId,
    metadata: { name: certificate.name, fileType: certificate.fileType, ...metadata },
  });
}
