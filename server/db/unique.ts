import { UniqueConstraintViolationException } from "@mikro-orm/core";
import type { DomainError } from "../errors.ts";

/** Does `work`; where the database says that a unique value is taken, throws what `conflict` makes of that. */
export async function unlessTaken<T>(
  work: () => Promise<T>,
  conflict: (cause: UniqueConstraintViolationException) => DomainError,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof UniqueConstraintViolationException) throw conflict(error);
    throw error;
  }
}
