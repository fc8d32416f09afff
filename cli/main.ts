import { createInterface } from "node:readline/promises";
import { run, type World } from "./run.ts";

// The edge of the process: arguments, streams, signals, exit code.

const stop = new AbortController();
const end = (): void => {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
};
process.on("SIGINT", end);
process.on("SIGTERM", end);
// Whoever read this has enough, as `head` does.
process.stdout.on("error", () => process.exit(0));

const world: World = {
  program: "vectorflow",
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  stdin: {
    isTerminal: process.stdin.isTTY,
    readAll: async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
      return Buffer.concat(chunks);
    },
    ask: async (question) => {
      const lines = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return await lines.question(question, { signal: stop.signal });
      } finally {
        lines.close();
      }
    },
  },
};

const code = await run(process.argv.slice(2), world);
// A pipe takes what is written in its own time; leaving before would cut it.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise((resolve) => stream.write("", resolve));
}
process.exit(code);
