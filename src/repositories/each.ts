/** Runs one call for each item, a bounded number at once. After a failure none is begun, and those under way are waited for. */
export async function forEachAtOnce<T>(
  items: readonly T[],
  concurrency: number,
  call: (item: T, at: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  let failure: { readonly error: unknown } | undefined;
  const work = async (): Promise<void> => {
    while (failure === undefined && next < items.length) {
      try {
        const at = next++;
        // Below the length, so there is one.
        await call(items[at] as T, at);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
  if (failure !== undefined) throw failure.error;
}
