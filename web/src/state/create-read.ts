import type {
  DescMessage,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import { callUnaryMethod, createQueryOptions } from "@connectrpc/connect-query-core";
import {
  keepPreviousData,
  QueryObserver,
  type QueryKey,
  type QueryObserverOptions,
  type QueryObserverResult,
} from "@tanstack/solid-query";
import { createComputed, createSignal, on, onCleanup, type Accessor } from "solid-js";

import { readAllPages } from "../api/all-pages.ts";
import { toUiError, type UiError } from "../api/errors.ts";
import { useApi } from "./api.tsx";

/** What a page sees of a cached request. Old data stays while new data is on its way. */
export interface Read<T> {
  readonly data: Accessor<T | undefined>;
  /** Only when there is nothing to show: nothing arrived yet, and nothing failed. */
  readonly pending: Accessor<boolean>;
  readonly fetching: Accessor<boolean>;
  readonly error: Accessor<UiError | undefined>;
  readonly refetch: () => void;
}

export interface ReadOptions {
  readonly staleTime?: number;
  readonly refetchInterval?: number;
  /** Keeps what was shown while another input loads. */
  readonly keepPrevious?: boolean;
}

export interface ReadRequest<T> extends ReadOptions {
  readonly queryKey: QueryKey;
  /** Absent when there is nothing to ask for yet. */
  readonly queryFn?: (context: { readonly signal: AbortSignal }) => Promise<T>;
  readonly structuralSharing?: (oldData: unknown, newData: unknown) => unknown;
}

/**
 * Binds a query to signals. solid-query's own `useQuery` ties its data to Suspense and wraps it in a
 * store; pages here show their own loading states, and messages stay plain objects.
 */
export function createRead<T>(request: Accessor<ReadRequest<T>>): Read<T> {
  const { queryClient } = useApi();
  const options = (): QueryObserverOptions<T> => {
    const { keepPrevious, queryFn, ...rest } = request();
    return {
      ...rest,
      ...(queryFn ? { queryFn } : { enabled: false }),
      ...(keepPrevious === true && { placeholderData: keepPreviousData }),
    };
  };
  const observer = new QueryObserver<T>(queryClient, options());
  const optimistic = (): QueryObserverResult<T> =>
    observer.getOptimisticResult(queryClient.defaultQueryOptions(options()));
  const [result, setResult] = createSignal(optimistic(), { equals: false });
  onCleanup(observer.subscribe((next) => setResult(() => next)));
  createComputed(
    on(
      options,
      (next) => {
        observer.setOptions(next);
        setResult(() => optimistic());
      },
      { defer: true },
    ),
  );
  return {
    data: () => result().data,
    pending: () => result().isPending,
    fetching: () => result().isFetching,
    error: () => {
      const { error } = result();
      return error === null ? undefined : toUiError(error);
    },
    refetch: () => void observer.refetch(),
  };
}

/** Reads by a unary method. An undefined input means that it is not needed yet. */
export function useRead<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: Accessor<MessageInitShape<I> | undefined>,
  options: ReadOptions = {},
): Read<MessageShape<O>> {
  const { transport } = useApi();
  return createRead<MessageShape<O>>(() => {
    const message = input();
    const { queryKey, structuralSharing } = createQueryOptions(method, message, { transport });
    if (message === undefined) return { ...options, queryKey: [...queryKey, "unasked"] };
    return {
      ...options,
      queryKey,
      structuralSharing,
      queryFn: ({ signal }) => callUnaryMethod(transport, method, message, { signal }),
    };
  });
}

/** Reads all pages of a list into one answer, for lists that are looked at as a whole. */
export function useReadAll<I extends DescMessage, O extends DescMessage>(
  method: DescMethodUnary<I, O>,
  input: Accessor<MessageInitShape<I>>,
  options: ReadOptions = {},
): Read<MessageShape<O>> {
  const { transport } = useApi();
  return createRead<MessageShape<O>>(() => {
    const message = input();
    const { queryKey, structuralSharing } = createQueryOptions(method, message, { transport });
    return {
      ...options,
      // Another answer than that of useRead, which holds the first page.
      queryKey: [...queryKey, "all pages"],
      structuralSharing,
      queryFn: ({ signal }) => readAllPages(transport, method, message, signal),
    };
  });
}
