/**
 * Runs the tasks until all have returned. The first to fail stops the others; its reason is thrown
 * once every task has settled. An abort of `signal` is an orderly end, not a failure.
 */
export async function runTasks(
  signal: AbortSignal,
  ...tasks: readonly ((signal: AbortSignal) => Promise<void>)[]
): Promise<void> {
  const failed = new AbortController();
  const scope = AbortSignal.any([signal, failed.signal]);
  await Promise.allSettled(
    tasks.map(async (task) => {
      try {
        await task(scope);
      } catch (reason) {
        if (!scope.aborted) failed.abort(reason);
      }
    }),
  );
  failed.signal.throwIfAborted();
}
