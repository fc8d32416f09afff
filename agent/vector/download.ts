import { createWriteStream } from "node:fs";
import { stat } from "node:fs/promises";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";

const connectMs = 5000;
/** A connection that brings nothing for this long is given up. */
const stalledMs = 30_000;
const maxTextBytes = 256 * 1024;

export interface DownloadOptions {
  /** Gets the bytes that are there and the bytes that there will be; 0 for unknown. Undefined at the end. */
  readonly progress: ((received: number, total: number) => void) | undefined;
  readonly signal: AbortSignal;
}

/** The server has no such file. */
export class NotThereError extends Error {
  override readonly name = "NotThereError";
}

/** Fetches a small text. Throws an Error that tells in a few words why not. */
export async function downloadText(url: string, signal: AbortSignal): Promise<string> {
  const response = await request(
    url,
    {},
    AbortSignal.any([signal, AbortSignal.timeout(stalledMs)]),
    signal,
  );
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Readable.fromWeb(response.body ?? new ReadableStream())) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > maxTextBytes) throw new Error("the answer is too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Fetches a file, continuing what is there of it. A connection that stalls is given up. Throws an Error that tells
 * in a few words why not.
 */
export async function download(
  url: string,
  file: string,
  { progress, signal }: DownloadOptions,
): Promise<void> {
  const have = await stat(file).then(
    ({ size }) => size,
    () => 0,
  );
  const stalled = new AbortController();
  let begun = false;
  let timer = setTimeout(() => stalled.abort(), connectMs);
  const alive = (): void => {
    clearTimeout(timer);
    timer = setTimeout(() => stalled.abort(), stalledMs);
  };
  try {
    const headers = have > 0 ? { range: `bytes=${have}-` } : {};
    const response = await request(url, headers, AbortSignal.any([signal, stalled.signal]), signal);
    // Nothing more to come: the whole file was there already.
    if (response.status === 416 || response.body === null) return;
    begun = true;
    const continues = response.status === 206;
    let received = continues ? have : 0;
    const total = received + Number(response.headers.get("content-length") ?? 0);
    const meter = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        alive();
        received += chunk.length;
        progress?.(received, total);
        done(null, chunk);
      },
    });
    alive();
    await pipeline(
      Readable.fromWeb(response.body),
      meter,
      createWriteStream(file, { flags: continues ? "a" : "w", mode: 0o600 }),
    );
    if (received < total) throw new Error("it ended early");
  } catch (error) {
    signal.throwIfAborted();
    if (stalled.signal.aborted) throw new Error("the server does not answer", { cause: error });
    if (begun)
      throw new Error("the download was cut off; start again to continue it", { cause: error });
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function request(
  url: string,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  caller: AbortSignal,
): Promise<Response> {
  try {
    const response = await fetch(url, { headers, signal });
    if (response.ok || (response.status === 416 && "range" in headers)) return response;
    await response.body?.cancel();
    const text = `the server answered ${response.status}`;
    throw response.status === 404 ? new NotThereError(text) : new Error(text);
  } catch (error) {
    caller.throwIfAborted();
    const cause = (error as Error).cause as { code?: string } | undefined;
    if (cause?.code === undefined) throw error;
    throw new Error(`the server cannot be reached: ${cause.code}`, { cause: error });
  }
}
