import { connect } from "node:net";
import { readdir, readFile, readlink } from "node:fs/promises";

const established = "01";
const listening = "0A";

interface Connection {
  readonly localPort: number;
  readonly remotePort: number;
  readonly state: string;
  readonly inode: string;
}

/** The TCP sockets of this host; undefined where the system does not tell. */
async function sockets(): Promise<readonly Connection[] | undefined> {
  const tables = await Promise.all(
    ["/proc/net/tcp", "/proc/net/tcp6"].map((path) => readFile(path, "utf8").catch(() => "")),
  );
  if (tables.every((table) => table === "")) return undefined;
  return tables.flatMap((table) =>
    table
      .split("\n")
      .slice(1)
      .flatMap((line) => {
        const [, local = "", remote = "", state = "", , , , , , inode = ""] = line
          .trim()
          .split(/\s+/);
        if (state === "") return [];
        const port = (address: string): number => Number.parseInt(address.split(":")[1] ?? "", 16);
        return [{ localPort: port(local), remotePort: port(remote), state, inode }];
      }),
  );
}

/** Whether anything listens on the port; undefined where the system does not tell. */
export async function isListening(port: number): Promise<boolean | undefined> {
  const all = await sockets();
  return all?.some(({ localPort, state }) => localPort === port && state === listening);
}

/** Whether a process listens on the port, and nobody else; undefined where the system does not tell. */
export async function listensOn(pid: number, port: number): Promise<boolean | undefined> {
  const all = await sockets();
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) =>
    // A process that is gone listens on nothing.
    error.code === "ENOENT" ? [] : undefined,
  );
  if (all === undefined || names === undefined) return undefined;
  const links = await Promise.all(
    names.map((name) => readlink(`${folder}/${name}`).catch(() => "")),
  );
  const own = new Set(links);
  return all
    .filter(({ localPort, state }) => localPort === port && state === listening)
    .every(({ inode }) => own.has(`socket:[${inode}]`));
}

/** How many clients are connected to a port of this host. Zero where the system does not tell. */
export async function connectionsTo(port: number): Promise<number> {
  const all = (await sockets()) ?? [];
  return all.filter(({ localPort, state }) => localPort === port && state === established).length;
}

/** Whether a connection to the loopback port is accepted. */
export async function accepts(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ host: "127.0.0.1", port });
  socket.setTimeout(1000, () => resolve(false));
  socket.once("connect", () => resolve(true));
  socket.once("error", () => resolve(false));
  const answer = await promise;
  socket.destroy();
  return answer;
}
