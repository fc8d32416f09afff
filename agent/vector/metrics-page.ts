import { request } from "node:http";

// Ten counters for a thousand components, several times over.
const maxPageBytes = 16 * 1024 * 1024;

/** Fetches the metrics page of a process; undefined when it does not answer in time. */
export async function metricsPage(port: number, timeoutMs: number): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const call = request(
    {
      host: "127.0.0.1",
      port,
      path: "/metrics",
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
    },
    (response) => {
      let page = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        page += text;
        if (page.length > maxPageBytes) call.destroy(new Error("the metrics page is too large"));
      });
      response.on("error", () => resolve(undefined));
      response.on("end", () => resolve(response.statusCode === 200 ? page : undefined));
    },
  );
  call.on("error", () => resolve(undefined));
  call.end();
  return await promise;
}
