import { createServer } from "node:net";

// Below the range from which systems choose ports for outgoing connections.
const lowest = 20_000;
const count = 12_000;

/** Whether nothing listens on the port of the loopback interface. */
async function isFree(port: number): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = createServer();
  probe.once("error", () => resolve(false));
  probe.listen({ port, host: "127.0.0.1", exclusive: true }, () => {
    probe.close(() => resolve(true));
  });
  return await promise;
}

/**
 * Hands out loopback ports. A port stays with its holder until the holder gives it back, once its
 * process is gone: two pipelines never share one, whatever the order of crashes and restarts (A7).
 */
export class PortAllocator {
  readonly #held = new Set<number>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** A free port that is none of `avoid`, which are those that the configuration itself names. */
  async acquire(avoid: ReadonlySet<number>): Promise<number> {
    for (let tries = 0; tries < 200; tries++) {
      const port = lowest + Math.floor(this.#random() * count);
      if (this.#held.has(port) || avoid.has(port)) continue;
      this.#held.add(port);
      if (await isFree(port)) return port;
      this.#held.delete(port);
    }
    throw new Error("no free loopback port was found");
  }

  release(port: number): void {
    this.#held.delete(port);
  }
}

/** The numbers in a configuration that could be ports. */
export function portsIn(config: string): ReadonlySet<number> {
  return new Set([...config.matchAll(/\b\d{4,5}\b/g)].map((match) => Number(match[0])));
}
