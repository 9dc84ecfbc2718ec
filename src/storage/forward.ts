/** The base of every wrapper: an ObjectStore that hands each call on. A wrapper replaces what it changes. */
import type { ObjectInfo, ObjectStore } from './object-store.ts';

export function forward(store: ObjectStore): ObjectStore {
  return {
    name: store.name,
    location: store.location,
    ...(store.lockMs === undefined ? {} : { lockMs: store.lockMs }),
    ...(store.mountPoint === undefined ? {} : { mountPoint: async (options) => await store.mountPoint?.(options) }),
    put: (key, parts, options) => store.put(key, parts, options),
    get: (key, range, options) => store.get(key, range, options),
    stat: (key, options) => store.stat(key, options),
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => store.delete(key, options),
    retain: (key, until, options) => store.retain(key, until, options),
    close: () => store.close(),
  };
}

type Pages = AsyncIterable<readonly ObjectInfo[]>;
type Page = IteratorResult<readonly ObjectInfo[], unknown>;

/** The same pages, each fetched inside `around`: for wrappers that time, count or bound the fetching but not the reader's work. */
export async function* eachPage(
  pages: Pages,
  around: (fetch: () => Promise<Page>) => Promise<Page>,
): AsyncGenerator<readonly ObjectInfo[]> {
  const iterator = pages[Symbol.asyncIterator]();
  let fetching = false;
  try {
    for (;;) {
      fetching = true;
      const page = await around(() => iterator.next());
      fetching = false;
      if (page.done) return;
      yield page.value;
    }
  } finally {
    // A fetch that hangs would make `return` wait for it as well.
    if (!fetching) await iterator.return?.();
  }
}
