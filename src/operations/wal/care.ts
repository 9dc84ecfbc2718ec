/**
 * Checking and levelling of the archive's objects. Every object is named by the hash of its bytes, so each storage is checked by itself; a piece
 * counts as missing where a storage has later log of the timeline and lacks needed bytes that another storage has. A storage that is merely
 * behind is not damaged.
 */
import { hash } from 'node:crypto';
import { asFailure, Failure } from '../../base/failure.ts';
import type { Damage } from '../../repository/meta-damage.ts';
import type { Replica } from '../../repository/replicas.ts';
import type { StoredHistory, StoredPiece } from '../../wal/archive.ts';
import { type CoveredSpan, spans } from '../../wal/coverage.ts';
import { historyKey, pieceKey } from '../../wal/piece.ts';
import { isUnneeded } from '../../wal/retention.ts';
import type { Session } from '../session.ts';
import type { ClusterNeeds } from './needs.ts';

/** An object of the archive: a loose piece, or a history. */
export interface WalObject {
  readonly key: string;
  readonly hash: string;
  readonly mask: number;
  readonly size: number;
  readonly piece?: StoredPiece;
}

export function objectsOf({ inventory }: ClusterNeeds): WalObject[] {
  const pieces = inventory.pieces.filter(({ folded }) => !folded);
  return [...pieces.map(pieceObject), ...inventory.histories.map(historyObject)];
}

/** What the storage lacks of the needed log, though another has it. `behind`: also what comes after the end of its own log. */
export function lackingOn(needs: ClusterNeeds, { name, bit }: Replica, behind: boolean): WalObject[] {
  const needed = needs.byStorage.get(name);
  const own = spans(needs.inventory, bit);
  const lacks = objectsOf(needs).filter(({ mask, piece }) => {
    if ((mask & bit) !== 0) return false;
    if (piece === undefined) return true;
    if (needed !== undefined && isUnneeded(needed, piece.piece)) return false;
    return !isCovered(own, piece) && (behind || isInside(own, piece));
  });
  return lacks;
}

/** Hashes the storage's own copy: undefined when it is whole, or gone on purpose meanwhile. */
export async function damageOf({ signal }: Session, replica: Replica, object: WalObject): Promise<Damage | undefined> {
  const damage = (what: Damage['what'], detail: string): Damage => ({
    storage: replica.name,
    key: object.key,
    what,
    detail,
    points: [],
  });
  try {
    const bytes = await replica.store.get(object.key, undefined, { signal });
    return hash('sha256', bytes, 'hex') === object.hash ? undefined : damage('damaged', 'does not hash to its name');
  } catch (error) {
    signal.throwIfAborted();
    const failure = asFailure(error, 'storage_unreachable');
    if (failure.code === 'object_missing') return undefined; // retention, or a whole segment in place of its slices
    if (failure.code === 'data_damaged') return damage('size', 'is cut short');
    if (failure.retryable) throw failure;
    return damage('unreadable', failure.message);
  }
}

/** A good copy from one of the other storages. Throws `data_missing` when there is none. */
export async function goodCopy({ repository, signal }: Session, object: WalObject, not: Replica): Promise<Uint8Array> {
  // A copy of another size is listed apart, so every storage is asked.
  for (const replica of repository.replicas) {
    if (replica.name === not.name) continue;
    try {
      const bytes = await replica.store.get(object.key, undefined, { signal });
      if (hash('sha256', bytes, 'hex') === object.hash) return bytes;
    } catch {
      signal.throwIfAborted();
    }
  }
  throw new Failure('data_missing', `No storage has a good copy of ${object.key}.`);
}

function isCovered(own: readonly CoveredSpan[], { piece }: StoredPiece): boolean {
  return own.some((span) => span.timeline === piece.timeline && span.start <= piece.start && span.end >= piece.end);
}

/** Whether the storage has later log of the timeline. */
function isInside(own: readonly CoveredSpan[], { piece }: StoredPiece): boolean {
  return own.some((span) => span.timeline === piece.timeline && span.end > piece.end);
}

function pieceObject(stored: StoredPiece): WalObject {
  const { piece, mask, size } = stored;
  return { key: pieceKey(piece), hash: piece.hash, mask, size, piece: stored };
}

function historyObject({ history, mask, size }: StoredHistory): WalObject {
  return { key: historyKey(history), hash: history.hash, mask, size };
}
