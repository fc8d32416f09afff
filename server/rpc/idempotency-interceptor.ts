import { createHash } from "node:crypto";
import { fromBinary, toBinary, type DescMethod, type Message } from "@bufbuild/protobuf";
import { MethodOptions_IdempotencyLevel } from "@bufbuild/protobuf/wkt";
import type {
  ConnectRouter,
  HandlerContext,
  Interceptor,
  UnaryRequest,
  UnaryResponse,
} from "@connectrpc/connect";
import type { EntityManager } from "@mikro-orm/postgresql";
import { newId } from "../db/columns.ts";
import { CallTransaction } from "../db/transaction.ts";
import type { ServerDeps } from "../deps.ts";
import { DomainError, type ErrorKind } from "../errors.ts";
import type { Actor } from "../scope.ts";
import { actorKey, replayKey, transactionKey } from "./call-scope.ts";
import type { StoredFailure } from "./idempotency-key.entity.ts";

const keptMs = 24 * 3_600_000;

interface KeyRow {
  readonly id: string;
  readonly rpc: string;
  readonly requestHash: string;
  readonly answer: string | null;
  readonly failure: StoredFailure | null;
}

/** Thrown inside a transaction whose key belongs to another call: nothing of it shall happen. */
class Repeated extends Error {
  override readonly name = "Repeated";
}

/**
 * Makes calls that change something safe to repeat: with an `idempotency-key` header, a repeat by the same actor
 * within a day gets the first answer, and nothing happens again.
 *
 * 1. The key is claimed by the first statement of the change's own transaction, so that of two calls at once one waits
 *    and then finds the other's key.
 * 2. The answer is that transaction's last statement, encrypted, since it may hold what is shown once: a key that is
 *    there has its change and its answer, whenever the power was cut.
 * 3. A call that changed nothing leaves no key, so that it can be corrected and sent again. A refusal may have changed
 *    something (a wrong password is counted), and is an answer; after any other failure there is no change either.
 */
export function idempotencyInterceptor(deps: ServerDeps): Interceptor {
  return (next) => async (request) => {
    const actor = actorOf(request.contextValues.get(actorKey));
    const key = request.header.get("idempotency-key");
    const reads = request.method.idempotency === MethodOptions_IdempotencyLevel.NO_SIDE_EFFECTS;
    if (request.stream || key === null || actor === undefined || reads) return next(request);
    if (!/^[\x21-\x7e]{8,128}$/.test(key)) {
      throw new DomainError(
        "invalid",
        "idempotency_key_invalid",
        "idempotency-key must have 8 to 128 printable characters",
      );
    }
    const call = new KeyedCall(deps, actor, key, request);
    const known = await call.find();
    const repeat = async (first: KeyRow): Promise<UnaryResponse> => {
      request.contextValues.set(replayKey, call.answerOf(first));
      const response = await next(request);
      response.header.set("idempotency-replayed", "true");
      return response as UnaryResponse;
    };
    if (known !== undefined) return repeat(known);
    const transaction = new CallTransaction((em) => call.claim(em));
    request.contextValues.set(transactionKey, transaction);
    try {
      const response = await next(request);
      await transaction.commit((em) => call.storeAnswer(em, response.message as Message));
      return response;
    } catch (error) {
      if (error instanceof DomainError) {
        await transaction.commit((em) => call.storeFailure(em, error));
      } else {
        await transaction.rollback();
      }
      const first = error instanceof Repeated ? await call.find() : undefined;
      if (first !== undefined) return repeat(first);
      throw error;
    }
  };
}

/**
 * Lets a service answer with what `replayKey` holds instead of acting. An interceptor cannot answer by itself: the
 * headers of the protocol are only on the response that comes from the service.
 */
export function replayable(router: ConnectRouter): ConnectRouter {
  const wrapped: ConnectRouter = {
    ...router,
    service(service, implementation, options) {
      const methods = Object.fromEntries(
        service.methods
          .filter(({ methodKind }) => methodKind === "unary")
          .map(({ localName }) => [localName, replay(implementation, localName)]),
      );
      router.service(service, { ...implementation, ...methods }, options);
      return wrapped;
    },
  };
  return wrapped;
}

function replay(implementation: object, localName: string) {
  const handler = (implementation as Record<string, unknown>)[localName];
  if (typeof handler !== "function") return undefined;
  return (request: Message, ctx: HandlerContext): unknown =>
    ctx.values.get(replayKey) ?? (handler as (...args: unknown[]) => unknown)(request, ctx);
}

function actorOf(actor: Actor): string | undefined {
  if (actor.kind !== "user") return undefined;
  return actor.apiToken === undefined ? `user/${actor.userId}` : `token/${actor.apiToken.id}`;
}

/** One call with a key. */
class KeyedCall {
  readonly #deps: ServerDeps;
  readonly #id = newId();
  readonly #actor: string;
  readonly #key: string;
  readonly #request: UnaryRequest;
  readonly #requestHash: string;
  readonly #rpc: string;

  constructor(deps: ServerDeps, actor: string, key: string, request: UnaryRequest) {
    this.#deps = deps;
    this.#actor = actor;
    this.#key = key;
    this.#request = request;
    this.#rpc = `${request.service.typeName}/${request.method.name}`;
    this.#requestHash = createHash("sha256")
      .update(toBinary(request.method.input, request.message))
      .digest("base64url");
  }

  async find(): Promise<KeyRow | undefined> {
    const [row] = await this.#deps.orm.em.fork().execute<KeyRow[]>(
      `select "id", "rpc", "requestHash", "answer", "failure" from "IdempotencyKey"
       where "actor" = ? and "key" = ? and "createdAt" > ?`,
      [this.#actor, this.#key, this.#cutoff()],
    );
    return row;
  }

  /** Claims the key; throws `Repeated` when another call has it. */
  async claim(em: EntityManager): Promise<void> {
    const now = this.#deps.clock.now();
    const [row] = await em.execute<{ id: string }[]>(
      `insert into "IdempotencyKey" as k ("id", "actor", "key", "rpc", "requestHash", "createdAt")
       values (?, ?, ?, ?, ?, ?)
       on conflict ("actor", "key") do update set "id" = excluded."id", "rpc" = excluded."rpc",
         "requestHash" = excluded."requestHash", "createdAt" = excluded."createdAt", "answer" = null,
         "failure" = null
       where k."createdAt" <= ? returning "id"`,
      [this.#id, this.#actor, this.#key, this.#rpc, this.#requestHash, now, this.#cutoff()],
    );
    if (row === undefined) throw new Repeated();
  }

  async storeAnswer(em: EntityManager, answer: Message): Promise<void> {
    await em.execute(`update "IdempotencyKey" set "answer" = ? where "id" = ?`, [
      this.#seal(answer),
      this.#id,
    ]);
  }

  async storeFailure(em: EntityManager, error: DomainError): Promise<void> {
    const { kind, reason, message, violations } = error;
    const failure: StoredFailure = { kind, reason, message, violations };
    await em.execute(`update "IdempotencyKey" set "failure" = ?::jsonb where "id" = ?`, [
      JSON.stringify(failure),
      this.#id,
    ]);
  }

  /** What the first call was answered; throws what it was refused with. */
  answerOf(first: KeyRow): Message {
    if (first.requestHash !== this.#requestHash || first.rpc !== this.#rpc) {
      throw new DomainError(
        "invalid",
        "idempotency_key_reused",
        "this idempotency-key belongs to another request: use a new one",
      );
    }
    if (first.failure !== null) throw fromStored(first.failure);
    return this.#unseal(this.#request.method, first);
  }

  #cutoff(): Date {
    return new Date(this.#deps.clock.now().getTime() - keptMs);
  }

  #seal(message: Message): string {
    const bytes = toBinary(this.#request.method.output, message);
    return this.#deps.sealer.seal(`IdempotencyKey.answer/${this.#id}`, bytes);
  }

  #unseal(method: DescMethod, row: KeyRow): Message {
    const context = `IdempotencyKey.answer/${row.id}`;
    return fromBinary(method.output, this.#deps.sealer.open(context, row.answer ?? ""));
  }
}

function fromStored({ kind, reason, message, violations }: StoredFailure): DomainError {
  return new DomainError(kind as ErrorKind, reason, message, { violations });
}
