import { createClient, type Client } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { expect, test, vi } from "vitest";
import { AuthService } from "#gen/vectorflow/v1/auth_service_pb.ts";
import { EnvironmentService } from "#gen/vectorflow/v1/environment_service_pb.ts";
import { LiveService, type PipelineLive } from "#gen/vectorflow/v1/live_service_pb.ts";
import { launchBrowser, writeYaml } from "./browser.ts";
import { startStack, vectorsBelow } from "./stack.ts";

const slow = { timeout: 20_000 };
const password = "correct horse battery staple";

const pipeline = (condition: string, more = ""): string => `sources:
  web_server:
    type: demo_logs
    format: json
    interval: 0.02
${more}transforms:
  parse:
    type: remap
    inputs: [web_server]
    source: |
      . = parse_json!(string!(.message))
  keep:
    type: filter
    inputs: [parse]
    condition: ${condition}
sinks:
  discard:
    type: blackhole
    inputs: [keep]
`;

/** The pipeline's live numbers, as any client of the API sees them. */
async function live(url: string): Promise<() => Promise<PipelineLive | undefined>> {
  const base = createConnectTransport({ baseUrl: url, httpVersion: "1.1" });
  const { sessionToken } = await createClient(AuthService, base).login({
    email: "admin@example.com",
    password,
  });
  const transport = createConnectTransport({
    baseUrl: url,
    httpVersion: "1.1",
    interceptors: [
      (next) => (request) => {
        request.header.set("authorization", `Bearer ${sessionToken}`);
        return next(request);
      },
    ],
  });
  const { environments } = await createClient(EnvironmentService, transport).listEnvironments({});
  const environmentId = environments[0]?.id ?? "";
  const client: Client<typeof LiveService> = createClient(LiveService, transport);
  return async () => {
    // Leaving the loop alone would leave the stream open.
    const done = new AbortController();
    try {
      for await (const response of client.watch({ environmentId }, done)) {
        if (response.synced) return response.pipelines[0];
      }
      return undefined;
    } finally {
      done.abort();
    }
  };
}

async function deploy(page: Page, reason: string): Promise<void> {
  await page.getByRole("button", { name: "Deploy…" }).click();
  await page.getByLabel("Reason").fill(reason);
  await page.getByRole("button", { name: "Deploy", exact: true }).click();
}

test("from the printed address to a pipeline that is changed, refused, rolled back and undeployed", async () => {
  await using stack = await startStack();
  const browser = await launchBrowser();
  try {
    const context = await browser.newContext({
      locale: "en-US",
      viewport: { width: 1440, height: 900 },
    });
    const page = await context.newPage();
    const errors: string[] = [];
    page.on("pageerror", (error) => errors.push(String(error)));

    // The first run.
    await page.goto(stack.url);
    await page.getByLabel("E-mail").fill("admin@example.com");
    await page.getByLabel("Name", { exact: true }).fill("Admin");
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByLabel("Team").fill("Platform");
    await page.getByLabel("Environment").fill("Production");
    const demo = page.getByLabel("Create a demo pipeline");
    if (!(await demo.isChecked())) await demo.check();
    await page.getByRole("button", { name: "Create account" }).click();

    // This host, healthy, and said to be simulated when it is.
    await page.getByRole("link", { name: "Hosts" }).first().click();
    await page.getByText("Healthy").first().waitFor(slow);
    if (stack.simulated) await page.getByText("simulated").first().waitFor(slow);

    // The demo pipeline's numbers move.
    const read = await live(new URL(stack.url).origin);
    await vi.waitFor(async () => expect((await read())?.rates?.eventsOut).toBeGreaterThan(5), slow);
    await page.getByRole("link", { name: "Pipelines" }).first().click();
    await page.getByRole("link", { name: "Demo" }).first().click();

    // Half of the events are dropped, with a reason, and the rate halves.
    await page.getByRole("link", { name: "Edit" }).click();
    await writeYaml(page, pipeline("to_int!(.bytes) >= 25000"));
    await page
      .getByText(/Draft saved/)
      .first()
      .waitFor(slow);
    // The host is asked first: it has to say so itself that it would take it.
    await page.getByRole("button", { name: "Deploy…" }).click();
    await page.getByRole("button", { name: "Ask the hosts" }).click();
    await page.getByText("1 of 1 host answered, 1 would take it").waitFor(slow);
    await page.getByRole("button", { name: "Cancel" }).click();
    await deploy(page, "Half is enough");
    await vi.waitFor(async () => {
      const now = await read();
      expect(now).toMatchObject({ nodesCurrent: 1, nodesDesired: 1 });
      expect(now?.summary?.deployedVersion).toBe(2);
      const ratio = (now?.rates?.eventsOut ?? 0) / (now?.rates?.eventsIn ?? 1);
      expect(ratio).toBeGreaterThan(0.25);
      expect(ratio).toBeLessThan(0.75);
    }, slow);
    await page.getByRole("button", { name: "Close" }).first().click();

    // The compiler in the browser marks what is wrong in a program, also while the server is silent.
    const checks = /PreviewPipeline/;
    await page.route(checks, (route) => route.abort());
    await writeYaml(page, pipeline("upcase(.bytes) >= 25000"));
    await page.locator(".cm-lintRange-error", { hasText: ".bytes" }).waitFor(slow);
    await page.unroute(checks);

    // A broken configuration is refused with the component named.
    await writeYaml(page, pipeline("to_int!(.bytes) >= 25000").replace("blackhole", "blackhoel"));
    await page
      .getByText(/there is no sink of type blackhoel/)
      .first()
      .waitFor(slow);
    await page.getByRole("button", { name: "Deploy…" }).click();
    await expect
      .poll(() =>
        page.getByRole("button", { name: "Deploy", exact: true }).getAttribute("aria-disabled"),
      )
      .toBe("true");
    await page.getByRole("button", { name: "Cancel" }).click();

    // One that dies at its start is rolled back: its port is the server's own.
    const port = new URL(stack.url).port;
    const taken = `  taken:\n    type: http_server\n    address: 127.0.0.1:${port}\n`;
    await writeYaml(
      page,
      pipeline("to_int!(.bytes) >= 25000", taken).replace("[web_server]", "[web_server, taken]"),
    );
    await expect.poll(() => page.getByText(/there is no sink of type blackhoel/).count()).toBe(0);
    await page
      .getByText(/Draft saved/)
      .first()
      .waitFor(slow);
    await deploy(page, "A port that is taken");
    await page
      .getByText(/Rolled back/i)
      .first()
      .waitFor(slow);
    await page
      .getByText(/Address (already )?in use/i)
      .first()
      .waitFor(slow);
    await vi.waitFor(
      async () =>
        expect(await read()).toMatchObject({ nodesRunning: 1, nodesFailed: 1, nodesCurrent: 0 }),
      slow,
    );
    await page.getByRole("button", { name: "Close" }).first().click();

    // Undeployed, its process is gone within two seconds.
    expect(await vectorsBelow(stack.dataDir)).toHaveLength(1);
    await page.getByRole("button", { name: "Undeploy" }).first().click();
    await page.getByRole("dialog").getByRole("button", { name: "Undeploy" }).click();
    await vi.waitFor(async () => expect(await vectorsBelow(stack.dataDir)).toEqual([]), {
      timeout: 2000,
      interval: 50,
    });
    expect(errors).toEqual([]);
  } catch (error) {
    for (const page of browser.contexts().flatMap((context) => context.pages())) {
      const path = join(tmpdir(), "vectorflow-e2e-failure.png");
      await page.screenshot({ path });
    }
    throw error;
  } finally {
    await browser.close();
  }
}, 180_000);
