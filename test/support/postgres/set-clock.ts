/** A server whose clock was wrong for a while: the times of commits in its log are changed as if it had been, checksums included. */
import { crc32c } from '../../../src/base/crc32c.ts';
import type { Lsn } from '../../../src/postgres/lsn.ts';
import { type CommitRecord, WalScanner } from '../../../src/postgres/wal-records.ts';

const PAGE = 8192;
const SHORT_HEADER = 24;
const RECORD_HEADER = 24;
const CHECKSUM = 20;
const SHORT_DATA = 0xff;

/** Changes whole segments of log, the first of which begins at `start`. `shift`: microseconds for a commit; 0n leaves it as it is. */
export function shiftCommits(
  log: Buffer,
  start: Lsn,
  segmentSize: number,
  shift: (commit: CommitRecord) => bigint,
): void {
  const found: CommitRecord[] = [];
  new WalScanner(start, { commit: (each) => void found.push(each) }, { segmentSize }).push(log);
  for (const commit of found) {
    const by = shift(commit);
    if (by !== 0n) shiftOne(log, Number(commit.start - start), by);
  }
}

function shiftOne(log: Buffer, at: number, by: bigint): void {
  const places = placesOf(log, at);
  const record = Buffer.from(places.map((place) => log[place]!));
  if (record[RECORD_HEADER] !== SHORT_DATA) throw new Error('a commit that does not begin with its data');
  const time = RECORD_HEADER + 2;
  record.writeBigInt64LE(record.readBigInt64LE(time) + by, time);
  record.writeUInt32LE(crc32c(record.subarray(0, CHECKSUM), crc32c(record.subarray(RECORD_HEADER))), CHECKSUM);
  for (const [i, place] of places.entries()) log[place] = record[i]!;
}

/** Where the bytes of a record are: the headers of pages are none of them. */
function placesOf(log: Buffer, at: number): number[] {
  const places: number[] = [];
  for (let left = log.readUInt32LE(at); left > 0; at++) {
    if (at % PAGE === 0) at += SHORT_HEADER;
    places.push(at);
    left--;
  }
  return places;
}
