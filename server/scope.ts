import type { EntityManager } from "@mikro-orm/postgresql";
import type { Clock } from "#common/clock.ts";
import type { Logger } from "#common/logger.ts";
import type { Role } from "./db/enums.ts";
import type { CallTransaction } from "./db/transaction.ts";

/** The API token by which a program acts. */
export interface ApiTokenActor {
  readonly id: string;
  readonly name: string;
  readonly teamId: string;
  readonly role: Role;
}

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
      /** Set when a program acts, by a token that this user made: then only in its team, with at most its role. */
      readonly apiToken?: ApiTokenActor;
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
  /** Set for a call that must not act twice: all that it changes is one transaction. */
  readonly call?: CallTransaction | undefined;
}
