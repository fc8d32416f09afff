import type { FakeWorld } from "./fake-world.ts";

/** What the requests of all lists have. */
export interface PageRequest {
  readonly pageSize: number;
  readonly pageToken: string;
}

/** A page of a list; tokens are places in it. */
export function fakePage<T, R>(
  world: FakeWorld,
  { pageSize, pageToken }: PageRequest,
  all: Iterable<T>,
  toResponse: (items: T[]) => R,
): R & { nextPageToken: string } {
  const items = [...all];
  const from = Number(pageToken || 0);
  const to = from + Math.min(pageSize || 100, world.largestPage);
  return {
    ...toResponse(items.slice(from, to)),
    nextPageToken: to < items.length ? String(to) : "",
  };
}
