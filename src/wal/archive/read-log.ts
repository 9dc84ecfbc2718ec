/**
 * Reading a stretch of log from pieces: a few are fetched ahead, in order, and where a piece cannot be had another that covers the same
 * bytes takes its place.
 */
import { asFailure, Failure } from '../../base/failure.ts';
import { formatLsn, type Lsn } from '../../postgres/lsn.ts';
import type { StoredPiece } from '../archive.ts';
import { MAX_PIECE_BYTES } from '../piece.ts';

/** A run of log. */
export interface LogBytes {
  readonly start: Lsn;
  readonly bytes: Buffer;
}

export interface ReadRequest {
  readonly timeline: number;
  readonly from: Lsn;
  readonly to: Lsn;
  /** By timeline, start and end. */
  readonly pieces: readonly StoredPiece[];
  readonly readPiece: (stored: StoredPiece) => Promise<Buffer>;
}

/** Pieces in memory at once: the one in use, and those on their way. */
const AHEAD = 3;

export async function* readLog(request: ReadRequest): AsyncGenerator<LogBytes> {
  const steps = planned(request);
  const pending: Promise<LogBytes[]>[] = [];
  const advance = () => {
    const { value: step } = steps.next();
    if (step === undefined) return;
    const work = fill(request, step.start, step.end);
    work.catch(() => {}); // told when its turn comes
    pending.push(work);
  };
  for (let i = 0; i < AHEAD; i++) advance();
  for (let next = pending.shift(); next !== undefined; next = pending.shift()) {
    const runs = await next;
    advance();
    yield* runs;
  }
}

/** The stretches to read one after the other: at each position the piece that reaches farthest. A hole is a stretch too; reading it fails. */
function* planned({ timeline, from, to, pieces }: ReadRequest): Generator<{ start: Lsn; end: Lsn }> {
  let position = from;
  while (position < to) {
    const [best] = covering(pieces, timeline, position);
    const end = best === undefined || best.piece.end > to ? to : best.piece.end;
    yield { start: position, end };
    if (best === undefined) return;
    position = end;
  }
}

/** The runs that make up a stretch; usually one. */
async function fill(request: ReadRequest, start: Lsn, end: Lsn): Promise<LogBytes[]> {
  const runs: LogBytes[] = [];
  let position = start;
  while (position < end) {
    const bytes = await readAt(request, position, end);
    runs.push({ start: position, bytes });
    position += BigInt(bytes.length);
  }
  return runs;
}

/** The bytes from `position` on, at most up to `end`, from the first piece that covers it and can be had. */
async function readAt(request: ReadRequest, position: Lsn, end: Lsn): Promise<Buffer> {
  const candidates = covering(request.pieces, request.timeline, position);
  const failures: Failure[] = [];
  for (const stored of candidates) {
    try {
      const bytes = await request.readPiece(stored);
      const { start, end: pieceEnd } = stored.piece;
      return bytes.subarray(Number(position - start), Number((pieceEnd < end ? pieceEnd : end) - start));
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code === 'interrupted') throw error;
      failures.push(failure);
    }
  }
  const worst = failures.find(({ retryable }) => retryable) ?? failures[0];
  if (worst !== undefined) throw worst;
  throw new Failure(
    'moment_unreachable',
    `The archive has no WAL of timeline ${request.timeline} at ${formatLsn(position)}.`,
    { hint: 'See the windows and gaps with "holdfast wal status".' },
  );
}

/** The pieces of a timeline that hold the byte at `position`; those that reach farthest first, of those loose ones, then the nearest. */
export function covering(pieces: readonly StoredPiece[], timeline: number, position: Lsn): StoredPiece[] {
  const found: { stored: StoredPiece; end: Lsn }[] = [];
  const earliest = position - BigInt(MAX_PIECE_BYTES);
  for (let i = firstFrom(pieces, timeline, earliest); i < pieces.length; i++) {
    const stored = pieces[i]!;
    const { piece } = stored;
    if (piece.timeline !== timeline || piece.start > position) break;
    if (piece.end > position) found.push({ stored, end: piece.end });
  }
  found.sort((a, b) => (a.end === b.end ? nearness(a.stored) - nearness(b.stored) : a.end > b.end ? -1 : 1));
  return found.map(({ stored }) => stored);
}

/** Index of the first piece at or after (`timeline`, `start`). */
export function firstFrom(pieces: readonly StoredPiece[], timeline: number, start: Lsn): number {
  let low = 0;
  let high = pieces.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const { piece } = pieces[middle]!;
    if (piece.timeline < timeline || (piece.timeline === timeline && piece.start < start)) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nearness({ mask, folded }: StoredPiece): number {
  return ((mask & -mask) >>> 0) + (folded ? 0x1_0000_0000 : 0);
}
