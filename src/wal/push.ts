/**
 * Archives a file that PostgreSQL hands over. The same file again is no error: what is stored already is compared, and brought to storages
 * that lack it. Another content under a name that is taken is refused: it is a restored copy, or a server that lost its memory, and it must
 * not replace the log of the original.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Failure } from '../base/failure.ts';
import { earlierLsn, formatLsn, type Lsn, laterLsn } from '../postgres/lsn.ts';
import {
  type CommitRecord,
  readSegmentHeader,
  type SegmentHeader,
  type WalScanHandler,
  WalScanner,
} from '../postgres/wal-records.ts';
import { maskOf } from '../repository/replicas.ts';
import { covering } from './archive/read-log.ts';
import type { StoredPiece, WalArchive, WalInventory } from './archive.ts';
import { spans } from './coverage.ts';
import type { SegmentName } from './fetch.ts';
import { refused, segmentPosition } from './log-file.ts';
import { type CommitRange, MAX_PIECE_BYTES } from './piece.ts';

export interface PushedFile {
  readonly file: FileHandle;
  readonly name: SegmentName;
  readonly header: SegmentHeader;
  /** The log that is in the file; of a partial segment what was written. */
  readonly start: Lsn;
  readonly end: Lsn;
  /** The segment before it, where it is at hand: a record may begin there. */
  readonly before?: FileHandle;
}

export interface PushOutcome {
  /** Storages that hold all of it durably. */
  readonly stored: readonly string[];
  readonly failures: ReadonlyMap<string, Failure>;
  /** Bytes that were not in the archive before. */
  readonly bytes: number;
}

const PAGE = 8192;
/** A record that ends in a segment hardly begins more than this before it. */
const LEAD = 16 * PAGE;
const READ = 1024 * 1024;

/** Looks at a segment (or a partial one) before anything is stored. Throws `wal_refused` when it is not what its name says. */
export async function inspectSegment(file: FileHandle, name: SegmentName): Promise<Omit<PushedFile, 'before'>> {
  const { size } = await file.stat();
  const header = readSegmentHeader(await readAt(file, 0, PAGE));
  const start = header && segmentPosition(name.place, header.segmentSize);
  // The first segment of a timeline begins with pages of the one before.
  const isSane = header?.segmentSize === size && header.pageAddress === start && header.timeline <= name.timeline;
  if (header === undefined || start === undefined || !isSane)
    throw refused(`${name.name} is not the segment that its name says.`, 'Look at the disk of the server.');
  const whole = { file, name, header, start, end: start + BigInt(size) };
  return name.kind === 'segment' ? whole : { ...whole, end: (await scanCommits(whole, { verifyCrc: true })).end };
}

/** Stores what is not stored yet. Throws `wal_refused` when the archive holds something else in its place. */
export async function pushSegment(archive: WalArchive, pushed: PushedFile): Promise<PushOutcome> {
  const inventory = await inventoryFor(archive, pushed);
  await compare(archive, inventory, pushed);
  const failures = new Map<string, Failure>(inventory.silent);
  let stored = archive.repository.replicas.map(({ name }) => name);
  let bytes = 0;
  const scan = await scanCommits(pushed);
  for (let start = pushed.start; start < pushed.end; start += BigInt(MAX_PIECE_BYTES)) {
    const limit = start + BigInt(MAX_PIECE_BYTES);
    const end = earlierLsn(limit, pushed.end);
    const held = exactPiece(inventory, pushed, start, end);
    const outcome = held
      ? await complete(archive, held)
      : await storeNew(archive, pushed, { start, end, ...scan.commits(start, end) });
    if (held === undefined) bytes += Number(end - start);
    for (const [name, failure] of outcome.failures) failures.set(name, failure);
    stored = stored.filter((name) => outcome.stored.includes(name));
  }
  return { stored, failures, bytes };
}

/** What is archived of the stretch. Where the log goes on later, segments that are folded by now count as well. */
async function inventoryFor(archive: WalArchive, { name, start, end }: PushedFile): Promise<WalInventory> {
  const timeline = await archive.list({ timeline: name.timeline, from: start, to: 1n << 64n });
  const all = spans(timeline).filter((span) => span.timeline === name.timeline);
  const isHeld = all.some((span) => span.start < end && span.end > start);
  return isHeld || !all.some((span) => span.start >= end) ? timeline : archive.list();
}

async function compare(archive: WalArchive, inventory: WalInventory, pushed: PushedFile): Promise<void> {
  const { name, start, end } = pushed;
  for (const span of spans(inventory)) {
    const [from, to] = [laterLsn(span.start, start), earlierLsn(span.end, end)];
    if (span.timeline !== name.timeline || from >= to) continue;
    for await (const run of archive.read(name.timeline, from, to, inventory)) {
      const same = await readAt(pushed.file, Number(run.start - start), run.bytes.length);
      if (same.equals(run.bytes)) continue;
      throw refused(
        `${name.name} is archived already, with other content (at ${formatLsn(run.start)}).`,
        'Is this a restored copy that archives into the archive of its original? Give it another configuration, or archive_mode = off.',
      );
    }
  }
}

function exactPiece({ pieces }: WalInventory, { name }: PushedFile, start: Lsn, end: Lsn): StoredPiece | undefined {
  const fits = ({ piece, folded }: StoredPiece) => !folded && piece.start === start && piece.end === end;
  return covering(pieces, name.timeline, start).find(fits);
}

async function complete(archive: WalArchive, held: StoredPiece) {
  const { replicas } = archive.repository;
  const lacking = replicas.filter(({ bit }) => (held.mask & bit) === 0);
  const having = replicas.filter((replica) => !lacking.includes(replica)).map(({ name }) => name);
  if (lacking.length === 0) return { stored: having, failures: new Map<string, Failure>() };
  const { stored, failures } = await archive.copy(held, lacking);
  return { stored: [...having, ...stored], failures };
}

async function storeNew(archive: WalArchive, pushed: PushedFile, place: { start: Lsn; end: Lsn } & CommitRange) {
  const { segmentSize, systemIdentifier } = pushed.header;
  const bytes = await readAt(pushed.file, Number(place.start - pushed.start), Number(place.end - place.start));
  const span = { systemIdentifier, timeline: pushed.name.timeline, segmentSize, ...place };
  const { piece, sealed } = await archive.seal(span, bytes);
  return archive.store(piece, sealed);
}

/**
 * Decodes the whole file: where its records end, and when the commits in a stretch of it were. `verifyCrc` costs time; without it the last record of a segment that was not written to its end may seem to be whole.
 */
async function scanCommits(
  { file, header, start, end, before }: PushedFile,
  { verifyCrc = false }: { readonly verifyCrc?: boolean } = {},
) {
  const found: CommitRecord[] = [];
  const handler = { commit: (record: CommitRecord) => void found.push(record) };
  const options = { segmentSize: header.segmentSize, verifyCrc };
  const scanner = await scannerBefore(options, start, before, handler);
  for (let at = 0; at < Number(end - start); at += READ)
    scanner.push(await readAt(file, at, Math.min(READ, Number(end - start) - at)));
  const commits = (from: Lsn, to: Lsn): CommitRange => {
    const times = found.filter((each) => each.end > from && each.end <= to).map(({ time }) => time);
    times.sort((a, b) => (a < b ? -1 : 1));
    return { firstCommit: times[0], lastCommit: times.at(-1) };
  };
  return { commits, end: scanner.end };
}

/** A scanner that stands at `start`, and knows the record that begins before it, where the segment before is at hand. */
async function scannerBefore(
  options: { readonly segmentSize: number; readonly verifyCrc: boolean },
  start: Lsn,
  before: FileHandle | undefined,
  handler: WalScanHandler,
): Promise<WalScanner> {
  if (before !== undefined) {
    const scanner = new WalScanner(start - BigInt(LEAD), handler, options);
    scanner.push(await readAt(before, options.segmentSize - LEAD, LEAD));
    if (scanner.ended === undefined) return scanner; // the rest of a segment after a switch is no log
  }
  return new WalScanner(start, handler, options);
}

export interface PushedHistory {
  readonly timeline: number;
  readonly bytes: Buffer;
}

/** The history file of a timeline. Another one under the same number belongs to another server, and is refused. */
export async function pushHistory(archive: WalArchive, { timeline, bytes }: PushedHistory): Promise<PushOutcome> {
  const inventory = await archive.list('histories');
  const held = inventory.histories.filter(({ history }) => history.timeline === timeline);
  const known = await archive.history(timeline, inventory);
  if (known !== undefined && !known.equals(bytes)) {
    throw refused(
      `Timeline ${timeline} is archived already, with another history.`,
      'Another server took the same number: a restored copy, or a second standby that was promoted. Only one of them may archive here.',
    );
  }
  const { replicas } = archive.repository;
  const mask = held.reduce((bits, one) => bits | one.mask, 0);
  const lacking = replicas.filter(({ bit }) => (mask & bit) === 0);
  const having = replicas.filter(({ bit }) => (mask & bit & maskOf(replicas)) !== 0).map(({ name }) => name);
  if (lacking.length === 0) return { stored: having, failures: inventory.silent, bytes: 0 };
  const { stored, failures } = await archive.storeHistory(timeline, bytes, lacking);
  return { stored: [...having, ...stored], failures: new Map([...inventory.silent, ...failures]), bytes: bytes.length };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, position);
  if (bytesRead === length) return buffer;
  throw refused('A file of WAL is shorter than it says.', 'Look at the disk of the server.');
}
