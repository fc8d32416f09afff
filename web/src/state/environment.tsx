import { createContext, type Accessor, type JSX } from "solid-js";

import type { Environment } from "#gen/vectorflow/v1/environment_pb.ts";
import { Role } from "#gen/vectorflow/v1/role_pb.ts";

import { requireContext } from "./required-context.ts";

/** The environment that the address names. */
export interface CurrentEnvironment {
  readonly id: Accessor<string>;
  /** Undefined when the list does not have it: gone, or not the caller's. */
  readonly environment: Accessor<Environment | undefined>;
  readonly environments: Accessor<readonly Environment[]>;
  readonly canEdit: Accessor<boolean>;
  readonly canAdmin: Accessor<boolean>;
  /** An address below the environment, as in `path("hosts")`. */
  readonly path: (...segments: readonly string[]) => string;
}

const EnvironmentContext = createContext<CurrentEnvironment>();

export function useEnvironment(): CurrentEnvironment {
  return requireContext(EnvironmentContext, "EnvironmentProvider");
}

export function EnvironmentProvider(props: {
  id: string;
  environments: readonly Environment[];
  superAdmin: boolean;
  children: JSX.Element;
}): JSX.Element {
  const environment = (): Environment | undefined =>
    props.environments.find(({ id }) => id === props.id);
  const atLeast = (role: Role): boolean =>
    props.superAdmin || (environment()?.role ?? Role.UNSPECIFIED) >= role;
  const current: CurrentEnvironment = {
    id: () => props.id,
    environment,
    environments: () => props.environments,
    canEdit: () => atLeast(Role.EDITOR),
    canAdmin: () => atLeast(Role.ADMIN),
    path: (...segments) =>
      ["/e", props.id, ...segments].map((segment) => encodePath(segment)).join("/"),
  };
  return (
    <EnvironmentContext.Provider value={current}>{props.children}</EnvironmentContext.Provider>
  );
}

function encodePath(segment: string): string {
  return segment.startsWith("/") ? segment : encodeURIComponent(segment);
}

const lastKey = "vectorflow.environment";

/** Where "/" leads on this browser. */
export function rememberEnvironment(id: string): void {
  try {
    localStorage.setItem(lastKey, id);
  } catch {
    // Storage may be blocked; "/" then leads to the first environment.
  }
}

export function lastEnvironment(): string | undefined {
  try {
    return localStorage.getItem(lastKey) ?? undefined;
  } catch {
    return undefined;
  }
}
