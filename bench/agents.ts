import { FakeAgent } from "../server/testing/fake-agent.ts";

/** What the bench asks of the process that holds the agents. */
export type Request =
  | {
      readonly kind: "enroll";
      readonly server: string;
      readonly token: string;
      readonly count: number;
      readonly atOnce: number;
      readonly prefix: string;
    }
  | { readonly kind: "connect"; readonly count: number }
  | { readonly kind: "expect"; readonly version: number }
  | { readonly kind: "beat"; readonly perSecond: number; readonly seconds: number };

/** What it answers. */
export type Answer =
  | { readonly kind: "enrolled"; readonly seconds: number; readonly failed: number }
  | { readonly kind: "connected" }
  /** When each agent got the manifest, by the wall clock. */
  | { readonly kind: "received"; readonly at: readonly number[] }
  | { readonly kind: "beaten"; readonly sent: number };

const agents: FakeAgent[] = [];
const wallNow = (): number => performance.timeOrigin + performance.now();

async function answer(request: Request): Promise<Answer> {
  switch (request.kind) {
    case "enroll": {
      const fresh = Array.from(
        { length: request.count },
        (_, index) => new FakeAgent(request.server, `${request.prefix}-${index}`),
      );
      const started = performance.now();
      let failed = 0;
      const waiting = [...fresh];
      const worker = async (): Promise<void> => {
        for (let agent = waiting.pop(); agent !== undefined; agent = waiting.pop()) {
          await agent.enroll(request.token).catch(() => (failed += 1));
        }
      };
      await Promise.all(Array.from({ length: request.atOnce }, worker));
      agents.push(...fresh);
      return { kind: "enrolled", seconds: (performance.now() - started) / 1000, failed };
    }
    case "connect": {
      const wanted = agents.slice(0, request.count).filter(({ welcome }) => welcome === undefined);
      for (let from = 0; from < wanted.length; from += 50) {
        await Promise.all(wanted.slice(from, from + 50).map((agent) => agent.connect()));
      }
      return { kind: "connected" };
    }
    case "expect": {
      const connected = agents.filter(({ welcome }) => welcome !== undefined);
      const at = await Promise.all(
        connected.map((agent) => {
          const received = Promise.withResolvers<number>();
          agent.onDesired = (state) => {
            if (state.manifest.some(({ version }) => version === request.version)) {
              received.resolve(wallNow());
            }
          };
          return received.promise;
        }),
      );
      return { kind: "received", at };
    }
    case "beat": {
      const connected = agents.filter(({ welcome }) => welcome !== undefined);
      const total = request.perSecond * request.seconds;
      const started = performance.now();
      for (let sent = 0; sent < total;) {
        const due = Math.min(total, ((performance.now() - started) / 1000) * request.perSecond);
        while (sent < due) {
          connected[sent % connected.length]?.heartbeat(100);
          sent += 1;
        }
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return { kind: "beaten", sent: total };
    }
  }
}

process.on("message", (request: Request) => {
  void answer(request).then((result) => process.send?.(result));
});
process.on("disconnect", () => process.exit(0));
