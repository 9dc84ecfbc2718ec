/**
 * How archived WAL is laid out and named. A piece is a run of WAL bytes of one timeline that does not cross a segment's border: a whole
 * segment (of segments larger than 16 MiB, a stretch of one), or a slice of the segment that is still being written.
 *
 *     wal/<system id>/<timeline, 8 hex>/<start>-<end>.<segment MiB>.<first commit>-<last commit>.<sha-256>
 *     wal/<system id>/history/<timeline, 8 hex>.<sha-256>
 *
 * `start` and `end` are log positions of 16 hexadecimal digits, so that the order of names is the order of the log. The commit times are
 * microseconds since the Unix epoch, the earliest and the latest of the commits and aborts whose records end in the piece; `0-0` when there
 * are none. The hash is that of the stored bytes: any storage can be checked without a key, and one listing tells which moments can be reached.
 */
import { hash } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type Id, isId, id as toId } from '../base/ids.ts';
import type { Lsn } from '../postgres/lsn.ts';

export const WAL_PREFIX = 'wal/';
/** No piece holds more than this, so that one fits into memory several times over. */
export const MAX_PIECE_BYTES = 16 * 1024 * 1024;

/** Microseconds since the Unix epoch. */
export type CommitTime = bigint;

/** The earliest and the latest of some commits and aborts, by their own times; both undefined when there is none. */
export interface CommitRange {
  readonly firstCommit: CommitTime | undefined;
  readonly lastCommit: CommitTime | undefined;
}

/** What WAL it is; everything that the name says except the hash. Of commits, those count whose record ends in the span. */
export interface WalSpan extends CommitRange {
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** The first byte, and the one after the last. */
  readonly start: Lsn;
  readonly end: Lsn;
  /** Of the cluster, in bytes. */
  readonly segmentSize: number;
}

/** Whether it is only part of a segment, or of a stretch of 16 MiB: it lives until a piece that holds more takes its place. */
export function isSlice({ start, end, segmentSize }: Pick<WalSpan, 'start' | 'end' | 'segmentSize'>): boolean {
  const whole = BigInt(Math.min(segmentSize, MAX_PIECE_BYTES));
  return start % whole !== 0n || end % whole !== 0n;
}

export interface WalPiece extends WalSpan {
  /** SHA-256 of the stored (sealed) bytes. */
  readonly hash: Id;
}

/** The history file of a timeline, as the server gave it. */
export interface WalHistory {
  readonly systemIdentifier: string;
  readonly timeline: number;
  readonly hash: Id;
}

const MIB = 1024 * 1024;
const PIECE =
  /^wal\/(\d{1,20})\/([0-9a-f]{8})\/([0-9a-f]{16})-([0-9a-f]{16})\.(\d{1,4})\.(\d{1,17})-(\d{1,17})\.([0-9a-f]{64})$/;
const HISTORY = /^wal\/(\d{1,20})\/history\/([0-9a-f]{8})\.([0-9a-f]{64})$/;

export function pieceKey(piece: WalPiece): string {
  const { systemIdentifier, timeline, start, end, segmentSize, firstCommit = 0n, lastCommit = 0n } = piece;
  const place = `${timelinePrefix(systemIdentifier, timeline)}${hex(start, 16)}-${hex(end, 16)}`;
  return `${place}.${segmentSize / MIB}.${firstCommit}-${lastCommit}.${piece.hash}`;
}

export function historyKey({ systemIdentifier, timeline, hash }: WalHistory): string {
  return `${clusterPrefix(systemIdentifier)}history/${hex(BigInt(timeline), 8)}.${hash}`;
}

/** Under which everything of a cluster is. */
export function clusterPrefix(systemIdentifier: string): string {
  return `${WAL_PREFIX}${systemIdentifier}/`;
}

export function timelinePrefix(systemIdentifier: string, timeline: number): string {
  return `${clusterPrefix(systemIdentifier)}${hex(BigInt(timeline), 8)}/`;
}

/** The name of sealed bytes that hold the span. */
export function namePiece(span: WalSpan, sealed: Uint8Array): WalPiece {
  if (!isSpan(span)) throw new Failure('internal', 'A piece of WAL that crosses a segment, or is empty.');
  return { ...span, hash: toId(hash('sha256', sealed, 'hex')) };
}

/** What a key says, or undefined for what no piece is named like. */
export function parsePieceKey(key: string): WalPiece | undefined {
  const match = PIECE.exec(key);
  if (match === null) return undefined;
  const [, systemIdentifier = '', timeline = '', start = '', end = '', size = '', first = '', last = '', name = ''] =
    match;
  const piece = {
    systemIdentifier,
    timeline: Number.parseInt(timeline, 16),
    start: BigInt(`0x${start}`),
    end: BigInt(`0x${end}`),
    segmentSize: Number(size) * MIB,
    firstCommit: commitTime(first),
    lastCommit: commitTime(last),
  };
  return isSpan(piece) && isId(name) ? { ...piece, hash: name } : undefined;
}

export function parseHistoryKey(key: string): WalHistory | undefined {
  const [, systemIdentifier = '', timeline = '', name = ''] = HISTORY.exec(key) ?? [];
  return isId(name) ? { systemIdentifier, timeline: Number.parseInt(timeline, 16), hash: name } : undefined;
}

function isSpan({ timeline, start, end, segmentSize, firstCommit, lastCommit }: WalSpan): boolean {
  const size = BigInt(segmentSize);
  if (timeline < 1 || segmentSize < MIB || segmentSize > 1024 * MIB || (size & (size - 1n)) !== 0n) return false;
  if (start >= end || end - start > BigInt(MAX_PIECE_BYTES) || start / size !== (end - 1n) / size) return false;
  if (firstCommit === undefined || lastCommit === undefined) return firstCommit === lastCommit;
  return firstCommit <= lastCommit;
}

function commitTime(digits: string): CommitTime | undefined {
  return /^0+$/.test(digits) ? undefined : BigInt(digits);
}

function hex(value: bigint, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
