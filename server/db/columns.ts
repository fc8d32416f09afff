import { randomBytes } from "node:crypto";
import { p } from "@mikro-orm/core";
import { init } from "@paralleldrive/cuid2";

const createId = init({ length: 24, random: () => randomBytes(4).readUInt32BE() / 2 ** 32 });

/** A new row id: a CUID, as the published data model has it. */
export function newId(): string {
  return createId();
}

/** Primary key. */
export const id = () => p.text().primary().onCreate(newId);

/** A moment, to the millisecond, with time zone. */
export const moment = () => p.datetime().columnType("timestamptz(3)");

/** When the row was made, by the database's clock. */
export const createdAt = () => moment().defaultRaw("now()");

/** When the row was last changed by a use case. */
export const updatedAt = () =>
  moment()
    .defaultRaw("now()")
    .onUpdate(() => new Date());

/** A structured value. */
export const json = <T>() => p.json<T>();
