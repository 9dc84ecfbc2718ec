import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { LogWriter, MIB, PAGE, START } from '../../test/support/log-writer.ts';
import { type CommitRecord, readBody, readSegmentHeader, type WalRecord, WalScanner } from './wal-records.ts';

const EPOCH = 946_684_800_000_000n;

function scan(bytes: Uint8Array, options: { start?: bigint; chunk?: number; verifyCrc?: boolean } = {}) {
  const { start = START, chunk = bytes.length, verifyCrc = true } = options;
  const commits: CommitRecord[] = [];
  const scanner = new WalScanner(start, { commit: (each) => commits.push(each) }, { segmentSize: MIB, verifyCrc });
  for (let at = 0; at < bytes.length; at += chunk) scanner.push(bytes.subarray(at, at + chunk));
  return { commits, scanner };
}

/** A log over a segment's border, with records of all sizes and commits between them. */
function sampleLog(): { log: LogWriter; starts: bigint[] } {
  const log = new LogWriter();
  const starts: bigint[] = [];
  for (let i = 0; log.at < 1.2 * MIB; i++) {
    log.record(10, 0, i, Buffer.alloc((i * 37) % 700, i));
    if (i % 50 === 0) log.record(0, 0xb0, 0, Buffer.alloc(30_000, i));
    starts.push(log.commit(i + 1, 1_700_000_000_000_000n + BigInt(i)));
  }
  return { log, starts };
}

test('commits are told with number, time and place, whatever the chunks, up to the zeros at the end', () => {
  const { log, starts } = sampleLog();
  for (const chunk of [3 * MIB, 100_000, PAGE, 1000, 17]) {
    const { commits, scanner } = scan(log.bytes.subarray(0, 1.3 * MIB), { chunk });
    assert.deepEqual(
      commits.map(({ start }) => start),
      starts,
    );
    assert.ok(commits.every(({ xid, time }, i) => xid === i + 1 && time === 1_700_000_000_000_000n + BigInt(i)));
    assert.equal(scanner.end, START + BigInt(log.at));
    assert.equal(scanner.ended, 'The log ends here.');
  }
});

test('a record is told when its last byte has come, not before', () => {
  const log = new LogWriter();
  log.commit(1, EPOCH);
  const whole = log.at;
  for (const length of [whole - 1, whole]) {
    const { commits, scanner } = scan(log.bytes.subarray(0, length));
    assert.equal(commits.length, length === whole ? 1 : 0);
    assert.ok(scanner.end <= scanner.position && scanner.ended === undefined);
  }
});

test('a record with a wrong bit ends the log where the one before it ends', () => {
  const { log, starts } = sampleLog();
  const place = Number(starts[100]! - START);
  log.bytes[place + 27]! ^= 4;
  const { commits, scanner } = scan(log.bytes);
  assert.equal(commits.length, 100);
  assert.equal(scanner.end, starts[100]);
  assert.match(scanner.ended ?? '', /checksum/);
});

test('a log begins anywhere: what began before is stepped over', () => {
  const { log, starts } = sampleLog();
  for (let page = 1; page < 160; page += 3) {
    const start = START + BigInt(page * PAGE);
    const { commits } = scan(log.bytes.subarray(page * PAGE), { start });
    assert.deepEqual(
      commits.map((each) => each.start),
      starts.filter((each) => each >= start),
    );
  }
});

test('a record that a crash cut off and the server gave up is not told, and the log goes on after it', () => {
  const log = new LogWriter();
  log.commit(1, EPOCH);
  log.record(1, 0, 2, Buffer.alloc(20_000), PAGE - log.at);
  log.nextPage(8);
  log.commit(3, EPOCH);
  assert.deepEqual(
    scan(log.bytes).commits.map(({ xid }) => xid),
    [1, 3],
  );
});

test('a record that is cut off and not given up ends the log', () => {
  const log = new LogWriter();
  log.commit(1, EPOCH);
  log.record(1, 0, 2, Buffer.alloc(20_000), PAGE - log.at);
  log.nextPage(0);
  log.commit(3, EPOCH);
  const { commits, scanner } = scan(log.bytes);
  assert.deepEqual(
    commits.map(({ xid }) => xid),
    [1],
  );
  assert.equal(scanner.ended, 'A record does not go on.');
});

test('after a switch the rest of the segment is passed over, whatever is in it', () => {
  const log = new LogWriter();
  log.commit(1, EPOCH);
  log.record(0, 0x40, 0, new Uint8Array(0));
  log.bytes.fill(0xee, log.at, MIB);
  log.at = MIB;
  log.commit(2, EPOCH);
  assert.deepEqual(
    scan(log.bytes, { chunk: 5000 }).commits.map(({ xid }) => xid),
    [1, 2],
  );
});

test('the log of another cluster, of another place or with other segments is not taken', () => {
  const { log } = sampleLog();
  const other = Buffer.from(log.bytes);
  other.writeBigUInt64LE(99n, MIB + 24);
  assert.match(scan(other).scanner.ended ?? '', /another cluster/);
  assert.match(scan(log.bytes, { start: START + BigInt(MIB) }).scanner.ended ?? '', /elsewhere/);
  const scanner = new WalScanner(START, {}, { segmentSize: 2 * MIB });
  scanner.push(log.bytes);
  assert.ok(scanner.ended !== undefined);
});

test('the head of a segment is read, and nothing that is none', () => {
  const { log } = sampleLog();
  const header = {
    systemIdentifier: '7000000000000000123',
    segmentSize: MIB,
    timeline: 1,
    pageAddress: START,
    major: 17,
  };
  assert.deepEqual(readSegmentHeader(log.bytes), header);
  for (const bytes of [new Uint8Array(0), log.bytes.subarray(0, 39), log.bytes.subarray(PAGE), Buffer.alloc(PAGE)]) {
    assert.equal(readSegmentHeader(bytes), undefined);
  }
});

test('damaged bytes never do anything but end the log or change what is told', () => {
  const { log } = sampleLog();
  const sizes: number[] = [];
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(log.bytes.subarray(0, 256 * 1024));
    for (let i = 0; i < 1 + (round % 20); i++)
      bytes[randomBytes(3).readUIntLE(0, 3) % bytes.length] = randomBytes(1)[0]!;
    const record = (each: WalRecord) => sizes.push(readBody(each.bytes)?.main.length ?? 0);
    const handler = { commit: () => {}, restorePoint: () => {}, checkpoint: () => {}, record };
    const scanner = new WalScanner(START, handler, { segmentSize: MIB });
    for (let at = 0; at < bytes.length; at += 10_000) scanner.push(bytes.subarray(at, at + 10_000));
    assert.ok(
      scanner.end >= START && scanner.end <= scanner.position && scanner.position <= START + BigInt(bytes.length),
    );
  }
  assert.ok(sizes.every((size) => size <= bytesInSample));
});

test('noise as the body of a record is refused or read within its bounds', () => {
  for (let round = 0; round < 5000; round++) {
    const record = randomBytes(24 + (round % 200));
    const body = readBody(record);
    const parts = [body?.main, ...(body?.blocks ?? []).flatMap(({ data, image }) => [data, image?.bytes])];
    const total = parts.reduce((sum, part) => sum + (part?.length ?? 0), 0);
    assert.ok(total <= record.length);
  }
});

const bytesInSample = 256 * 1024;
