/**
 * Finds out what a storage really guarantees, by trying: services differ in what they promise, and proxies in what they break. Works under
 * `probe/`, where restic never looks, and removes what it put there. A guarantee that was never seen broken is not proven.
 */
import { type Clock, systemClock } from '../base/clock.ts';
import type { CallOptions, ObjectStore } from './object-store.ts';
import { Trials } from './probe/trials.ts';

export type GuaranteeName =
  | 'readAfterWrite'
  | 'listAfterWrite'
  | 'readAfterOverwrite'
  | 'goneAfterDelete'
  | 'rangeReads'
  | 'conditionalCreate'
  | 'objectLock';

export interface Guarantee {
  readonly name: GuaranteeName;
  readonly held: boolean;
  /** Whether a repository can do without it. */
  readonly needed: boolean;
  /** What it is. */
  readonly title: string;
  /** What it means that it does not hold; empty when it does. */
  readonly missing: string;
}

export interface StoreGuarantees {
  readonly storage: string;
  readonly guarantees: readonly Guarantee[];
  /** Whether everything that is needed holds. */
  readonly usable: boolean;
  /** Whether `ifAbsent` decides between writers at the same moment. */
  readonly conditionalCreate: boolean;
}

export interface ProbeOptions extends CallOptions {
  readonly clock?: Clock;
  /** Also try object lock: the storage is configured for it. Leaves an object that cannot be removed for a minute. */
  readonly objectLock?: boolean;
}

const EXPLANATIONS: Readonly<Record<GuaranteeName, { title: string; missing: string; needed: boolean }>> = {
  readAfterWrite: {
    title: 'what was written can be read at once',
    missing: 'A backup could be reported complete while its data cannot be read. Use another storage.',
    needed: true,
  },
  listAfterWrite: {
    title: 'what was written is listed at once',
    missing: 'Two runs could overlook each other, and prune could remove what a backup needs. Use another storage.',
    needed: true,
  },
  readAfterOverwrite: {
    title: 'what was replaced is read in its new version at once',
    missing: 'A damaged object that was healed may still be read in its damaged version for a while.',
    needed: false,
  },
  goneAfterDelete: {
    title: 'what was removed is gone at once',
    missing: 'Locks that were released still block other runs for a while.',
    needed: false,
  },
  rangeReads: {
    title: 'parts of an object can be read',
    missing:
      'Restoring one file would fetch whole packs, so it is refused. Use another storage, or a proxy that passes Range on.',
    needed: true,
  },
  conditionalCreate: {
    title: 'of several writers that create the same object, exactly one succeeds',
    missing:
      'Two machines that initialise the same storage at the same moment may disturb each other; run init from one machine.',
    needed: false,
  },
  objectLock: {
    title: 'objects can be made undeletable for a time',
    missing:
      'Backups here can be deleted by whoever has the key. Create the bucket with object lock, or take objectLock out.',
    needed: true,
  },
};

/** Tries every guarantee. Rejects only when the storage cannot be used at all (unreachable, refused, full) or the signal fires. */
export async function probeStore(store: ObjectStore, options: ProbeOptions = {}): Promise<StoreGuarantees> {
  const { clock = systemClock, objectLock = false, signal } = options;
  const trials = new Trials(store, { signal });
  try {
    const tried: Array<[GuaranteeName, boolean]> = [
      ['readAfterWrite', await trials.readsAfterWrite()],
      ['listAfterWrite', await trials.listsAfterWrite()],
      ['readAfterOverwrite', await trials.readsAfterOverwrite()],
      ['rangeReads', await trials.readsRanges()],
      ['goneAfterDelete', await trials.forgetsAfterDelete()],
      ['conditionalCreate', await trials.createsConditionally()],
    ];
    if (objectLock) tried.push(['objectLock', await trials.locks(clock)]);
    return report(store.name, tried);
  } finally {
    await trials.cleanUp();
  }
}

function report(storage: string, tried: ReadonlyArray<[GuaranteeName, boolean]>): StoreGuarantees {
  const guarantees = tried.map(([name, held]) => {
    const { title, missing, needed } = EXPLANATIONS[name];
    return { name, held, needed, title, missing: held ? '' : missing };
  });
  return {
    storage,
    guarantees,
    usable: guarantees.every(({ held, needed }) => held || !needed),
    conditionalCreate: guarantees.some(({ name, held }) => name === 'conditionalCreate' && held),
  };
}
