import { toUiError } from "../api/errors.ts";
import type { Clients } from "../api/clients.ts";
import { demoYaml } from "./templates.ts";

/** Creates and deploys the demo pipeline; finds another name when "demo" is taken. */
export async function createDemoPipeline(
  clients: Pick<Clients, "pipelines">,
  environmentId: string,
): Promise<string> {
  for (let number = 1; ; number++) {
    const name = number === 1 ? "demo" : `demo-${number}`;
    try {
      const { pipeline } = await clients.pipelines.createPipeline({
        environmentId,
        name,
        description: "Made-up events, to see VectorFlow at work",
        yaml: demoYaml,
      });
      const id = pipeline?.summary?.id ?? "";
      await clients.pipelines.deployPipeline({ id, changelog: "Demo pipeline" });
      return id;
    } catch (thrown) {
      if (toUiError(thrown).kind !== "conflict" || number >= 20) throw thrown;
    }
  }
}
