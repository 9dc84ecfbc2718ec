/** Checks the packs of one storage: there, of the right size, hashing to their names, and where asked right inside. */
import { atOnce } from '../../base/at-once.ts';
import type { ByteBudget } from '../../base/byte-budget.ts';
import type { Id } from '../../base/ids.ts';
import type { CallOptions } from '../../storage/object-store.ts';
import { objectKey } from '../keys.ts';
import type { Replica } from '../replicas.ts';
import { type Fault, faultOf } from './findings.ts';
import { type Inventory, indexedPacks } from './inventory.ts';
import { type PackVerdict, verifyPack } from './pack-reader.ts';
import type { PackTable } from './pack-table.ts';
import type { VerifyPool } from './verify-pool.ts';

const PARALLEL = 4;

export interface PackCheck {
  readonly table: PackTable;
  readonly pool: VerifyPool;
  readonly budget: ByteBudget;
  /** Open every blob of the packs that are read. */
  readonly deep: boolean;
  /** Whether a pack is read at all; others are looked at by their size only. */
  readonly isWanted: (pack: Id) => boolean;
  readonly options: CallOptions;
  /** Hears of the bytes that were read of one pack. */
  readonly onBytes: (bytes: number) => void;
}

export interface PackFindings {
  /** By pack number; packs that are whole do not stand here. */
  readonly faults: ReadonlyMap<number, Fault>;
  readonly packs: number;
  readonly bytesRead: number;
}

export async function checkPacks(check: PackCheck, { replica, sizes }: Inventory): Promise<PackFindings> {
  const { table, budget, isWanted, onBytes } = check;
  const faults = new Map<number, Fault>();
  let packs = 0;
  let bytesRead = 0;
  await atOnce(PARALLEL, indexedPacks(table, replica), async (pack) => {
    packs++;
    const id = table.index.packId(pack);
    const key = objectKey('data', id);
    const size = sizes[pack] as number;
    const fault = sizeFault(key, size, table.size(pack));
    if (fault !== undefined) {
      faults.set(pack, fault);
    } else if (isWanted(id)) {
      const found = await budget.use(size, () => readFault(check, replica, pack, key));
      if (found !== undefined) faults.set(pack, found);
      bytesRead += size;
      onBytes(size);
    }
  });
  return { faults, packs, bytesRead };
}

function sizeFault(key: string, size: number, expected: number): Fault | undefined {
  if (size < 0) return { key, what: 'missing', detail: 'is not there' };
  if (size === expected) return undefined;
  return { key, what: 'size', detail: `has ${size} bytes instead of ${expected}` };
}

async function readFault(
  { table, pool, deep, options }: PackCheck,
  replica: Replica,
  pack: number,
  key: string,
): Promise<Fault | undefined> {
  try {
    return verdictFault(key, await verifyPack({ replica, table, pool, deep, options }, pack));
  } catch (error) {
    return faultOf(error, replica, key, options);
  }
}

function verdictFault(key: string, { misnamed, badBlobs, header }: PackVerdict): Fault | undefined {
  if (misnamed) return { key, what: 'damaged', detail: 'does not hash to its name' };
  if (badBlobs > 0) return { key, what: 'content', detail: `${badBlobs} of its blobs are wrong` };
  return header === undefined ? undefined : { key, what: 'content', detail: header };
}
