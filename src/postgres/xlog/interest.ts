/** What a handler wants to hear of, looked up by the two bytes that say what a record is. */
import { isCheckpoint, isRestorePoint, isTransactionEnd } from './decode.ts';
import { isResourceManager, RMGR, XLOG } from './format.ts';

/** Bits of an entry of the table. */
export const INTEREST = {
  transaction: 1,
  restorePoint: 2,
  checkpoint: 4,
  record: 8,
  /** The record has to be there as a whole. */
  gather: 15,
  /** The rest of the segment is empty. */
  switch: 16,
  /** No such resource manager: not a record. */
  invalid: 32,
} as const;

export interface Wants {
  readonly transactions: boolean;
  readonly restorePoints: boolean;
  readonly checkpoints: boolean;
  readonly records: ((resourceManager: number, info: number) => boolean) | undefined;
}

const INFOS = 256;
const MANAGERS = 256;

/** By `resource manager << 8 | info`. */
export function interestTable(wants: Wants): Uint8Array {
  const table = new Uint8Array(MANAGERS * INFOS);
  for (let manager = 0; manager < MANAGERS; manager++) {
    const place = manager * INFOS;
    if (!isResourceManager(manager)) table.fill(INTEREST.invalid, place, place + INFOS);
    else if (wants.records !== undefined || manager === RMGR.xlog || manager === RMGR.transaction) {
      for (let info = 0; info < INFOS; info++) table[place + info] = interestIn(wants, manager, info);
    }
  }
  return table;
}

function interestIn(wants: Wants, manager: number, info: number): number {
  let interest = 0;
  if (wants.transactions && isTransactionEnd(manager, info)) interest |= INTEREST.transaction;
  if (wants.restorePoints && isRestorePoint(manager, info)) interest |= INTEREST.restorePoint;
  if (wants.checkpoints && isCheckpoint(manager, info)) interest |= INTEREST.checkpoint;
  if (wants.records?.(manager, info)) interest |= INTEREST.record;
  if (manager === RMGR.xlog && (info & 0xf0) === XLOG.switch) interest |= INTEREST.switch;
  return interest;
}
