import { connect } from "node:net";
import { parseArgs } from "node:util";

// `vector tap` as it was before 0.55: asks an API that must listen, and writes each event unwrapped, as JSON on a
// line of its own. Its events say what it was asked for.
const { values } = parseArgs({
  options: {
    url: { type: "string", default: "" },
    format: { type: "string", default: "json" },
    quiet: { type: "boolean" },
    interval: { type: "string", default: "500" },
    limit: { type: "string", default: "100" },
    "outputs-of": { type: "string", default: "" },
    "inputs-of": { type: "string", default: "" },
  },
});

const url = new URL(values.url);
if (url.pathname !== "/graphql") {
  process.stderr.write("Invalid API URL\n");
  process.exit(64);
}
const socket = connect({ host: url.hostname, port: Number(url.port) });
socket.once("error", () => {
  process.stderr.write("Vector API server isn't reachable\n");
  process.exit(69);
});
socket.once("connect", () => {
  let count = 0;
  setInterval(() => {
    for (let i = 0; i < Math.min(2, Number(values.limit)); i++) {
      count += 1;
      const asked = { outputs: values["outputs-of"], inputs: values["inputs-of"] };
      process.stdout.write(`${JSON.stringify({ ...asked, count, password: "hunter2" })}\n`);
    }
  }, Number(values.interval));
});
