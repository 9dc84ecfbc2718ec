/**
 * Which copies are bad: what the last check found (looked at again, it may be healed since), flat objects whose copies differ in size,
 * and with `readData` whatever hashing and opening everything finds. The outcome is marked in the survey.
 */

import { hash } from 'node:crypto';
import { atOnce } from '../../base/at-once.ts';
import type { ByteBudget } from '../../base/byte-budget.ts';
import { isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { verifyPack } from '../check/pack-reader.ts';
import { checkPacks } from '../check/packs.ts';
import type { VerifyPool } from '../check/verify-pool.ts';
import { idOfKey, objectKey } from '../keys.ts';
import type { Damage } from '../meta-damage.ts';
import { inMask, type Replica } from '../replicas.ts';
import type { FlatObject, Survey, SyncedKind } from './survey.ts';

export interface InspectOptions {
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  /** Storages whose objects are all read, hashed and opened. */
  readonly readData: (replica: Replica) => boolean;
  readonly onBytes: (replica: Replica, bytes: number) => void;
  readonly options: CallOptions;
}

const KINDS: readonly SyncedKind[] = ['keys', 'index', 'snapshots'];
const PARALLEL = 8;

export async function findBadObjects(survey: Survey, known: readonly Damage[], inspect: InspectOptions): Promise<void> {
  const suspects = new Set(known.map(({ storage, key }) => `${storage} ${key}`));
  for (const kind of KINDS) await inspectFlat(survey, kind, suspects, inspect);
  for (const replica of survey.repository.replicas) {
    if (inspect.readData(replica)) await inspectAllPacks(survey, replica, inspect);
    else await inspectKnown(survey, replica, known, inspect);
  }
}

async function inspectFlat(
  { repository, flat }: Survey,
  kind: SyncedKind,
  suspects: ReadonlySet<string>,
  { readData, options }: InspectOptions,
): Promise<void> {
  await atOnce(PARALLEL, flat[kind].values(), async (object) => {
    for (const replica of inMask(repository.replicas, object.mask)) {
      const key = objectKey(kind, object.id);
      const isSuspect = object.differs || readData(replica) || suspects.has(`${replica.name} ${key}`);
      if (isSuspect && !(await isWhole(replica, key, object.id, options))) markBad(object, replica);
    }
  });
}

function markBad(object: FlatObject, { bit }: Replica): void {
  object.bad = (object.bad | bit) >>> 0;
}

async function isWhole({ store }: Replica, key: string, id: Id, options: CallOptions): Promise<boolean> {
  try {
    return hash('sha256', await store.get(key, undefined, options), 'hex') === id;
  } catch (error) {
    options.signal?.throwIfAborted();
    if (!isFailure(error)) throw error;
    return false;
  }
}

async function inspectAllPacks(survey: Survey, replica: Replica, inspect: InspectOptions): Promise<void> {
  const inventory = survey.inventories.get(replica.number);
  if (inventory === undefined) return;
  const { pool, budget, options, onBytes } = inspect;
  const { faults } = await checkPacks(
    {
      ...{ table: survey.table, pool, budget, options, deep: true },
      isWanted: () => true,
      onBytes: (bytes) => onBytes(replica, bytes),
    },
    inventory,
  );
  for (const pack of faults.keys()) survey.present[pack]! &= ~replica.bit;
}

async function inspectKnown(
  { table, present }: Survey,
  replica: Replica,
  known: readonly Damage[],
  { pool, budget, options }: InspectOptions,
): Promise<void> {
  const damaged = known.filter(({ storage, key }) => storage === replica.name && key.startsWith('data/'));
  await atOnce(PARALLEL, damaged, async ({ key }) => {
    const id = idOfKey(key);
    const pack = id === undefined ? -1 : table.index.packNumber(Buffer.from(id, 'hex'));
    if (pack < 0 || ((present[pack] as number) & replica.bit) === 0) return;
    try {
      const reading = { replica, table, pool, deep: true, options };
      const verdict = await budget.use(table.size(pack), () => verifyPack(reading, pack));
      if (!verdict.misnamed && verdict.badBlobs === 0 && verdict.header === undefined) return;
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
    }
    present[pack]! &= ~replica.bit;
  });
}
