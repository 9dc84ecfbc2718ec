/** How a stream begins: what is in the spool and in the storages decides where it goes on. */
import { asFailure, Failure } from '../../base/failure.ts';
import { formatLsn, segmentStart } from '../../postgres/lsn.ts';
import { maskOf } from '../../repository/replicas.ts';
import type { WalArchive, WalInventory } from '../archive.ts';
import type { Spool } from '../spool.ts';
import type { Archiver } from './archiver.ts';
import { recoverSpool, spoolStart } from './recover.ts';
import { archiveEnd, type Position } from './route.ts';

export interface Beginning {
  readonly archive: WalArchive;
  readonly archiver: Archiver;
  readonly spool: Spool;
  /** Copies that count. */
  readonly copies: number;
  readonly note: (message: string) => void;
}

/** Where to go on; undefined where nothing was ever received. Throws when the spool is empty and no storage can be listed. */
export async function whereToBegin(beginning: Beginning): Promise<Position | undefined> {
  const { archive, archiver, spool, copies, note } = beginning;
  const { replicas } = archive.repository;
  const inventory = await list(beginning);
  const inSpool = spoolStart(spool);
  const bits = replicas.map((replica) => maskOf([replica]));
  const archived = inventory === undefined ? undefined : archiveEnd(inventory, bits, copies);
  const size = spool.cluster!.segmentSize;
  if (inventory !== undefined) {
    const from = inSpool ?? (archived && { ...archived, lsn: segmentStart(archived.lsn, size) });
    archiver.knows(inventory, from ?? { timeline: 0, lsn: 0n });
  }
  const spooled = await recoverSpool(spool, archiver);
  if (spooled !== undefined)
    note(`The spool holds WAL up to ${formatLsn(spooled.lsn)} of timeline ${spooled.timeline}.`);
  if (archived === undefined || inventory === undefined || !isAhead(archived, spooled)) return spooled;
  note(`The storages hold WAL up to ${formatLsn(archived.lsn)} of timeline ${archived.timeline}.`);
  return seed(beginning, inventory, archived);
}

async function list({ archive, spool, note }: Beginning): Promise<WalInventory | undefined> {
  try {
    return await archive.list();
  } catch (error) {
    const failure = asFailure(error);
    if (spoolStart(spool) === undefined || failure.code === 'interrupted') throw failure;
    note(`What the storages hold is not known (${failure.message}); the spool goes on.`);
    return undefined;
  }
}

function isAhead(a: Position, b: Position | undefined): boolean {
  if (b === undefined || a.timeline !== b.timeline) return a.timeline > (b?.timeline ?? 0);
  return a.lsn > b.lsn;
}

/** Puts the begun segment from the storages into the spool: what the server sends again is compared with it. */
async function seed(beginning: Beginning, inventory: WalInventory, end: Position): Promise<Position> {
  const { archive, archiver, spool, note } = beginning;
  const { timeline, lsn } = end;
  const start = segmentStart(lsn, spool.cluster!.segmentSize);
  archiver.begin(timeline, start);
  spool.begin(timeline, start);
  try {
    for await (const { bytes } of archive.read(timeline, start, lsn, inventory)) {
      if (spool.append(spool.received, bytes).written < bytes.length) throw new Failure('spool_failed', 'no room');
      archiver.take(bytes);
    }
    await spool.flush();
  } catch (error) {
    note(
      `The begun segment could not be fetched, and cannot be compared with the server's: ${asFailure(error).message}`,
    );
  }
  return { timeline, lsn: spool.received };
}
