/**
 * After a start: what is in the spool is checked record by record, a torn end is cut off, and everything goes to the archiver as if it had
 * just been received. The stream goes on at the end.
 */
import { open } from 'node:fs/promises';
import type { Lsn } from '../../postgres/lsn.ts';
import { readSegmentHeader, WalScanner } from '../../postgres/wal-records.ts';
import type { Spool } from '../spool.ts';
import type { Archiver } from './archiver.ts';
import type { Position } from './route.ts';

type SegmentFile = Spool['files'][number];

const CHUNK = 1024 * 1024;
const PAGE = 8192;

/** The first byte of the spool; undefined when it is empty. */
export function spoolStart(spool: Spool): Position | undefined {
  const first = spool.files.find(({ size }) => size > 0);
  return first === undefined ? undefined : { timeline: first.timeline, lsn: first.start };
}

/** Hands everything over. Returns where to go on; undefined when there is nothing. The bytes are durable then. */
export async function recoverSpool(spool: Spool, archiver: Archiver): Promise<Position | undefined> {
  for (const file of spool.files) if (file.size === 0) await spool.remove(file);
  for (const run of runs(spool.files, spool.cluster?.segmentSize ?? 0)) await cutTornEnd(spool, run);
  await spool.flush();
  let end: Position | undefined;
  for (const run of runs(spool.files, spool.cluster?.segmentSize ?? 0)) {
    const { timeline, start } = run[0]!;
    archiver.begin(timeline, start);
    for (const file of run) for await (const bytes of chunks(file)) archiver.take(bytes);
    end = { timeline, lsn: run.at(-1)!.end };
  }
  if (end !== undefined) spool.begin(end.timeline, end.lsn);
  return end;
}

/** Files of one timeline that follow each other without a hole. */
function runs(files: readonly SegmentFile[], segmentSize: number): SegmentFile[][] {
  const found: SegmentFile[][] = [];
  for (const file of files) {
    const last = found.at(-1)?.at(-1);
    const follows = last?.timeline === file.timeline && last.end === file.start && last.size === segmentSize;
    if (follows) found.at(-1)!.push(file);
    else found.push([file]);
  }
  return found;
}

async function cutTornEnd(spool: Spool, run: readonly SegmentFile[]): Promise<void> {
  const { timeline, start } = run[0]!;
  const end = run.at(-1)!.end;
  const valid = await validEnd(run, start, spool.cluster?.segmentSize ?? 0);
  if (valid < end) await spool.cut(timeline, valid);
}

async function validEnd(run: readonly SegmentFile[], start: Lsn, segmentSize: number): Promise<Lsn> {
  const scanner = new WalScanner(start, {}, { segmentSize, verifyCrc: true });
  let isUnderstood: boolean | undefined;
  for (const file of run) {
    for await (const bytes of chunks(file)) {
      // Log of a version that is not known cannot be judged.
      isUnderstood ??= readSegmentHeader(bytes) !== undefined || bytes.length < PAGE;
      scanner.push(bytes);
    }
  }
  return isUnderstood === false ? run.at(-1)!.end : scanner.end;
}

async function* chunks(file: SegmentFile): AsyncGenerator<Buffer> {
  await using handle = await open(file.path, 'r');
  for (let at = 0; at < file.size; ) {
    const bytes = Buffer.allocUnsafe(Math.min(CHUNK, file.size - at));
    const { bytesRead } = await handle.read(bytes, 0, bytes.length, at);
    if (bytesRead === 0) return;
    yield bytes.subarray(0, bytesRead);
    at += bytesRead;
  }
}
