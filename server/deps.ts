import type { MikroORM } from "@mikro-orm/postgresql";
import type pg from "pg";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { Refusals } from "./audit/refusals.ts";
import type { AccessWatch } from "./auth/access-watch.ts";
import type { Passwords } from "./auth/passwords.ts";
import type { RateLimiter } from "./auth/rate-limiter.ts";
import type { Background } from "./background.ts";
import type { ServerConfig } from "./config.ts";
import type { KeyedDigest } from "./crypto/keyed-digest.ts";
import type { Sealer } from "./crypto/sealer.ts";
import type { AgentHub } from "./fleet/agent-hub.ts";
import type { ServerMetrics } from "./health/server-metrics.ts";
import type { LiveViews } from "./live/live-views.ts";
import type { Ingest } from "./metrics/ingest.ts";
import type { PipelineCompiler } from "./configuration/compiler.ts";
import type { BackendClients } from "./secrets/backends/clients.ts";
import type { HostChecks } from "./host-checks/host-checks.ts";

/** All that lives as long as the server. */
export interface ServerDeps {
  readonly config: ServerConfig;
  readonly databaseUrl: string;
  readonly orm: MikroORM;
  /** Connections for the hot statements, which go around the entity manager. */
  readonly pool: pg.Pool;
  readonly clock: Clock;
  readonly log: Logger;
  readonly hub: AgentHub;
  readonly ingest: Ingest;
  readonly compiler: PipelineCompiler;
  readonly hostChecks: HostChecks;
  readonly live: LiveViews;
  readonly metrics: ServerMetrics;
  readonly signIns: RateLimiter;
  readonly passwords: Passwords;
  readonly refusals: Refusals;
  readonly access: AccessWatch;
  readonly background: Background;
  /** Encrypts what is kept at rest. */
  readonly sealer: Sealer;
  readonly digests: KeyedDigest;
  /** Where environments keep the values of secrets that are not kept here. */
  readonly backends: BackendClients;
  /** Nodes of the whole installation, as last counted. */
  fleetSize(): number;
  /** Where people and hosts reach this server. Known once it listens. */
  addresses(): { readonly web: string; readonly agents: string };
  /** Aborted when the server shuts down. */
  readonly signal: AbortSignal;
}
