import type { EntityManager } from "@mikro-orm/postgresql";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";

/** Who acts. */
export type Actor =
  | { readonly kind: "anonymous"; readonly ipAddress: string | undefined }
  | {
      readonly kind: "user";
      readonly userId: string;
      readonly sessionId: string;
      readonly email: string;
      readonly name: string | undefined;
      readonly isSuperAdmin: boolean;
      readonly ipAddress: string | undefined;
    }
  | { readonly kind: "node"; readonly nodeId: string; readonly ipAddress: string | undefined }
  | { readonly kind: "system" };

/** What one unit of work may touch. */
export interface Scope {
  readonly em: EntityManager;
  readonly actor: Actor;
  readonly clock: Clock;
  readonly log: Logger;
  readonly signal: AbortSignal;
}
