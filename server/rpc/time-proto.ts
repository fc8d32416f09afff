import { timestampFromDate, type Timestamp } from "@bufbuild/protobuf/wkt";

/** A moment for a message; a moment that never was is left out. */
export function timeToProto(
  time: Date | string | null | undefined,
): { value: Timestamp } | undefined {
  return time == null ? undefined : { value: timestampFromDate(new Date(time)) };
}

/** An optional time field, to be spread into a message. */
export function optionalTime<K extends string>(
  key: K,
  time: Date | string | null | undefined,
): Partial<Record<K, Timestamp>> {
  const converted = timeToProto(time);
  return (converted === undefined ? {} : { [key]: converted.value }) as Partial<
    Record<K, Timestamp>
  >;
}
