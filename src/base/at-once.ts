/** Many pieces of work, a few at a time. */

/**
 * Does `work` on every item, taken in their order, at most `limit` at once. After the first error, or once `signal` has fired, no more are
 * taken; that error is thrown when all that was under way has settled: nothing goes on behind the caller's back.
 */
export async function atOnce<T>(
  limit: number,
  items: Iterable<T>,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  const errors: unknown[] = [];
  const lane = async (): Promise<void> => {
    try {
      while (errors.length === 0) {
        signal?.throwIfAborted();
        const next = iterator.next();
        if (next.done) return;
        await work(next.value);
      }
    } catch (error) {
      errors.push(error);
    }
  };
  await Promise.all(Array.from({ length: limit }, lane));
  if (errors.length > 0) throw errors[0];
}
