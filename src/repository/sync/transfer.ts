/** Copies objects byte for byte from a good copy, hashed on the way; what is there is replaced only by a whole object. */

import { atOnce } from '../../base/at-once.ts';
import type { ByteBudget } from '../../base/byte-budget.ts';
import { Failure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import type { VerifyPool } from '../check/verify-pool.ts';
import { objectKey } from '../keys.ts';
import { type Replica, readFromAny, readNamed } from '../replicas.ts';
import type { PackCopy } from './plan.ts';
import type { SyncedKind } from './survey.ts';

const PARALLEL = 4;

export interface PackTransfer {
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  readonly target: Replica;
  /** The storages to read a pack from, nearest first. */
  readonly sources: (pack: number) => readonly Replica[];
  readonly options: CallOptions;
  readonly onBytes: (bytes: number) => void;
}

/** Copies packs; returns those of which no source gave a good copy after all. */
export async function transferPacks(transfer: PackTransfer, packs: readonly PackCopy[]): Promise<number[]> {
  const { budget, target, options, onBytes } = transfer;
  const failed: number[] = [];
  await atOnce(PARALLEL, packs, ({ pack, id, bytes: size }) =>
    budget.use(size, async () => {
      const bytes = await readGoodPack(transfer, pack, id);
      if (bytes === undefined) failed.push(pack);
      else await target.store.put(objectKey('data', id), bytes, options);
      onBytes(size);
    }),
  );
  return failed;
}

async function readGoodPack(
  { pool, sources, options }: PackTransfer,
  pack: number,
  packId: Id,
): Promise<Uint8Array | undefined> {
  try {
    return await readFromAny(
      sources(pack),
      objectKey('data', packId),
      undefined,
      async (read) => {
        const reply = await pool.verify(pool.newStream(), { bytes: read, end: { packId }, giveBack: true });
        if (reply.misnamed || reply.bytes === undefined)
          throw new Failure('data_damaged', `${packId} does not hash to its name.`);
        return reply.bytes;
      },
      undefined,
      options,
    );
  } catch (error) {
    if (error instanceof Failure && !error.retryable) return undefined;
    throw error;
  }
}

/** Copies one key file, index file or point. */
export async function transferFlat(
  kind: SyncedKind,
  id: Id,
  sources: readonly Replica[],
  target: Replica,
  options: CallOptions,
): Promise<void> {
  const key = objectKey(kind, id);
  await target.store.put(key, await readNamed(sources, key, options), options);
}
