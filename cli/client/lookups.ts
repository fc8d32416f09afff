import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import type { Node } from "#gen/vectorflow/v1/node_pb.ts";
import type { PipelineSummary } from "#gen/vectorflow/v1/pipeline_pb.ts";
import { CliError, UsageError } from "../failures.ts";
import type { ApiClient } from "./client.ts";
import { sameName } from "./names.ts";

interface Page<T> {
  readonly items: readonly T[];
  readonly next: string;
}

async function readAll<T>(read: (pageToken: string) => Promise<Page<T>>): Promise<T[]> {
  const all: T[] = [];
  let pageToken = "";
  do {
    const page = await read(pageToken);
    all.push(...page.items);
    pageToken = page.next;
  } while (pageToken !== "");
  return all;
}

export function listEnvironments({ environments }: ApiClient): Promise<Environment[]> {
  return readAll(async (pageToken) => {
    const response = await environments.listEnvironments({ pageToken });
    return { items: response.environments, next: response.nextPageToken };
  });
}

export function listPipelines(
  { pipelines }: ApiClient,
  environmentId: string,
): Promise<PipelineSummary[]> {
  return readAll(async (pageToken) => {
    const response = await pipelines.listPipelines({ environmentId, pageSize: 500, pageToken });
    return { items: response.pipelines, next: response.nextPageToken };
  });
}

export function listNodes({ nodes }: ApiClient, environmentId: string): Promise<Node[]> {
  return readAll(async (pageToken) => {
    const response = await nodes.listNodes({ environmentId, pageSize: 500, pageToken });
    return { items: response.nodes, next: response.nextPageToken };
  });
}

/** The environment that was named, by id or by name without case; the only one when none was. */
export async function findEnvironment(
  client: ApiClient,
  wanted: string | undefined,
): Promise<Environment> {
  const all = await listEnvironments(client);
  const names = all.map(({ name }) => name).join(", ");
  if (wanted === undefined) {
    const [only, ...others] = all;
    if (only === undefined) throw new CliError("the token reaches no environment");
    if (others.length > 0) {
      throw new UsageError(`--environment is needed: the token reaches ${names}`);
    }
    return only;
  }
  const byId = all.find(({ id }) => id === wanted);
  if (byId !== undefined) return byId;
  const [found, ...others] = all.filter(({ name }) => sameName(name, wanted));
  if (found === undefined) {
    throw new CliError(
      `there is no environment ${wanted}: the token reaches ${names === "" ? "none" : names}`,
    );
  }
  if (others.length > 0) {
    const ids = [found, ...others].map(({ id, teamName }) => `${id} (${teamName})`).join(", ");
    throw new UsageError(`several environments are named ${wanted}: give an id, of ${ids}`);
  }
  return found;
}

/** The pipeline of a name, without case, or of an id. */
export async function findPipeline(
  client: ApiClient,
  environment: Environment,
  wanted: string,
): Promise<PipelineSummary> {
  const all = await listPipelines(client, environment.id);
  const found = all.find(({ id, name }) => id === wanted || sameName(name, wanted));
  if (found === undefined) {
    throw new CliError(`there is no pipeline ${wanted} in ${environment.name}`);
  }
  return found;
}
