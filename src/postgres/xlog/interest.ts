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

/** By `resource manager << 8 | info`. */
export function interestTable(wants: Wants): Uint8Array {
  return Uint8Array.from({ length: 65536 }, (_, key) => interestIn(wants, key >> 8, key & 0xff));
}

function interestIn(wants: Wants, manager: number, info: number): number {
  if (!isResourceManager(manager)) return INTEREST.invalid;
  let interest = 0;
  if (wants.transactions && isTransactionEnd(manager, info)) interest |= INTEREST.transaction;
  if (wants.restorePoints && isRestorePoint(manager, info)) interest |= INTEREST.restorePoint;
  if (wants.checkpoints && isCheckpoint(manager, info)) interest |= INTEREST.checkpoint;
  if (wants.records?.(manager, info)) interest |= INTEREST.record;
  if (manager === RMGR.xlog && (info & 0xf0) === XLOG.switch) interest |= INTEREST.switch;
  return interest;
}
