/**
 * The end of a fold, storage by storage: what the snapshot gives is read back from that storage and held against the loose pieces; only
 * then do they go. A storage without the snapshot keeps its pieces. Interrupted, it leaves both, and the next run goes on.
 */
import { asFailure, Failure } from '../../base/failure.ts';
import { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { Replica } from '../../repository/replicas.ts';
import { Repository } from '../../repository/repository.ts';
import type { StoredPiece, WalArchive, WalInventory } from '../archive.ts';
import { foldApp } from '../fold-book.ts';
import { FoldReader } from './read.ts';

export interface Settled {
  /** Loose pieces that were removed, over all storages. */
  readonly removed: number;
  readonly failures: ReadonlyMap<string, Failure>;
}

/** `inventory` must be newer than the snapshots. */
export async function settleFolds(archive: WalArchive, inventory: WalInventory): Promise<Settled> {
  const { repository } = archive;
  const failures = new Map<string, Failure>();
  const isPending = repository.replicas.some((replica) => leftovers(inventory, replica).length > 0);
  if (!isPending) return { removed: 0, failures };
  const indexed = await repository.loadIndex();
  let removed = 0;
  for (const replica of repository.replicas) {
    const reader = new FoldReader(indexOf(indexed, replica));
    try {
      for (const { loose, folds } of leftovers(inventory, replica)) {
        await compare(archive, reader, loose, folds);
        const { failures: refused } = await archive.remove(loose, [replica]);
        if (refused.size === 0) removed++;
      }
    } catch (error) {
      repository.settings.signal?.throwIfAborted();
      failures.set(replica.name, asFailure(error));
    }
  }
  return { removed, failures };
}

interface Leftover {
  readonly loose: StoredPiece;
  /** The folded stretch that holds the same bytes. */
  readonly folds: StoredPiece;
}

/** The loose pieces of a storage that lie within a snapshot of the same storage. */
function leftovers({ pieces }: WalInventory, { bit }: Replica): Leftover[] {
  const here = pieces.filter(({ mask }) => (mask & bit) !== 0);
  const folded = here.filter((stored) => stored.folded);
  const byPlace = new Map(folded.map((stored) => [placeOf(stored), stored]));
  return here.flatMap((loose) => {
    const folds = loose.folded ? undefined : byPlace.get(placeOf(loose));
    return folds === undefined || loose.piece.end > folds.piece.end ? [] : [{ loose, folds }];
  });
}

/** Stretches of folded segments begin at multiples of 16 MiB, or of the segment where that is smaller. */
function placeOf({ piece: { timeline, start, segmentSize } }: StoredPiece): string {
  const grain = BigInt(Math.min(segmentSize, 16 * 1024 * 1024));
  return `${timeline} ${start - (start % grain)}`;
}

async function compare(
  archive: WalArchive,
  reader: FoldReader,
  loose: StoredPiece,
  { piece }: StoredPiece,
): Promise<void> {
  const fold = archive.foldOf(piece);
  const folded = await reader.read(fold.snapshot.tree, foldApp(fold) ?? '', {
    ...piece,
    start: loose.piece.start,
    end: loose.piece.end,
  });
  if (folded.equals(await archive.readPiece(loose))) return;
  throw new Failure(
    'data_damaged',
    `A snapshot of folded WAL (${fold.id.slice(0, 8)}) differs from the pieces it was made of.`,
    {
      hint: 'The pieces are kept. Run "holdfast check --read-data".',
    },
  );
}

/** The same index, read from one storage alone. */
function indexOf(
  { repository, index, indexFiles, damagedIndexes }: IndexedRepository,
  replica: Replica,
): IndexedRepository {
  const { config, masterKey, keyId, lost, settings } = repository;
  const alone = new Repository({ config, masterKey, keyId, replicas: [replica], lost, settings });
  return new IndexedRepository(alone, index, indexFiles, damagedIndexes);
}
