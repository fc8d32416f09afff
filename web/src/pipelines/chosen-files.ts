import { maximumPipelineBytes } from "#common/pipeline-size.ts";

/** A file that a person chose, dropped or pasted. */
export interface ChosenFile {
  /** Empty for a text that was pasted. */
  readonly path: string;
  readonly content: Uint8Array;
}

/** As the server refuses it. */
const maximumFiles = 500;

/** Why files are not even sent; undefined when they are. */
export function refuseFiles(files: readonly { readonly size: number }[]): string | undefined {
  if (files.length === 0) return "There is no file in it.";
  if (files.length > maximumFiles) {
    return `There are ${files.length} files; at most ${maximumFiles} are read.`;
  }
  const total = files.reduce((sum, { size }) => sum + size, 0);
  if (total <= maximumPipelineBytes) return undefined;
  return `${files.length === 1 ? "The file has" : "The files have"} ${(total / 1e6).toFixed(1)} MB; at most ${maximumPipelineBytes / 1e6} MB are read.`;
}

/** What an `<input type="file">` has, with the folders of a chosen folder. */
export function pathOf(file: File): string {
  return file.webkitRelativePath || file.name;
}

/** Reads files as they are. */
export function readFiles(
  files: readonly { readonly path: string; readonly file: File }[],
): Promise<ChosenFile[]> {
  return Promise.all(
    files.map(async ({ path, file }) => ({
      path,
      content: new Uint8Array(await file.arrayBuffer()),
    })),
  );
}

/** The files of what was dropped, folders walked through; it must be called while the event is handled. */
export async function droppedFiles(
  transfer: DataTransfer,
): Promise<{ readonly path: string; readonly file: File }[]> {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.() ?? null);
  if (entries.every((entry) => entry === null)) {
    return [...transfer.files].map((file) => ({ path: file.name, file }));
  }
  const found: { path: string; file: File }[] = [];
  for (const entry of entries) if (entry !== null) await walk(entry, found);
  return found;
}

async function walk(entry: FileSystemEntry, found: { path: string; file: File }[]): Promise<void> {
  // More are refused anyway.
  if (found.length > maximumFiles) return;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    found.push({ path: entry.fullPath.replace(/^\//, ""), file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return;
    for (const child of some) await walk(child, found);
  }
}
