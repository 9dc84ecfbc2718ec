import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { type Failure, isFailure } from '../../base/failure.ts';
import { type BackupEvent, BackupStream } from './backup-stream.ts';
import { MessageFramer } from './framer.ts';
import { Inbox } from './inbox.ts';
import { decodeDataRow, decodeRowDescription, decodeServerMessage, frontendMessage, MESSAGE } from './messages.ts';
import { WalBuffer } from './wal-buffer.ts';
import { decodeWalMessage, statusMessage } from './wal-messages.ts';

const MIB = 1024 * 1024;
const NO_FLOW = { pause: () => {}, resume: () => {} };

test('messages are found again however the stream is cut', () => {
  const sent = Array.from({ length: 200 }, (_, index) => ({
    type: 65 + (index % 26),
    payload: randomBytes(randomInt(0, 3000)),
  }));
  const stream = Buffer.concat(sent.map(({ type, payload }) => frontendMessage(String.fromCharCode(type), payload)));
  for (const most of [1, 7, 100, 5000, stream.length]) {
    const got: { type: number; payload: Buffer }[] = [];
    const framer = new MessageFramer((type, payload) => got.push({ type, payload: Buffer.from(payload) }));
    for (let at = 0; at < stream.length; ) {
      const piece = stream.subarray(at, at + randomInt(1, most + 1));
      framer.push(piece);
      at += piece.length;
    }
    assert.deepEqual(got, sent);
  }
});

test('a message of impossible length is refused before memory is taken for it', () => {
  for (const length of [-1, 3, 0x7fffffff]) {
    const bytes = Buffer.alloc(5);
    bytes[0] = 0x64;
    bytes.writeInt32BE(length, 1);
    assert.throws(
      () => new MessageFramer(() => {}).push(bytes),
      (error) => isFailure(error, 'postgres_protocol'),
    );
  }
});

test('decoders read or refuse any bytes', () => {
  const decoders = [decodeServerMessage, decodeRowDescription, decodeDataRow, decodeWalMessage];
  for (let round = 0; round < 5000; round++) {
    const bytes = randomBytes(randomInt(0, 60));
    // Small counts and lengths reach further into the decoders.
    if (round % 2) for (let at = 0; at < bytes.length; at++) bytes[at] = (bytes[at] ?? 0) % 4;
    for (const decode of decoders) {
      try {
        decode(bytes);
      } catch (error) {
        assert.ok(isFailure(error, 'postgres_protocol'), String(error));
      }
    }
  }
});

test('the backup stream gives data in order, and refuses kinds of messages it does not know', () => {
  const events: BackupEvent[] = [];
  let failed: Failure | undefined;
  const stream = new BackupStream({
    push: (event) => events.push(event),
    fail: (error) => {
      failed = error;
    },
  });
  const content = randomBytes(3 * MIB + 17);
  stream.message(MESSAGE.copyData, Buffer.from('nbase.tar\0\0'));
  for (let at = 0; at < content.length; at += 32_768) {
    stream.message(MESSAGE.copyData, Buffer.concat([Buffer.from('d'), content.subarray(at, at + 32_768)]));
  }
  stream.message(MESSAGE.copyData, Buffer.from('m'));
  assert.deepEqual(events[0], { kind: 'archive', name: 'base.tar', location: '' });
  assert.equal(events.at(-1)?.kind, 'manifest');
  const data = events.flatMap((event) => (event.kind === 'data' ? [event.bytes] : []));
  assert.deepEqual(Buffer.concat(data), content);
  assert.equal(data.length, 4);
  stream.message(MESSAGE.copyData, Buffer.from('?'));
  assert.ok(isFailure(failed, 'postgres_protocol'));
});

test('an inbox pauses at its limit, resumes below half of it, and tells an error after the items before it', async () => {
  const log: string[] = [];
  const inbox = new Inbox<number>(10, { pause: () => log.push('pause'), resume: () => log.push('resume') });
  for (const item of [1, 2, 3]) inbox.push(item, 5);
  inbox.fail(new Error('late'));
  assert.deepEqual(log, ['pause']);
  assert.deepEqual([await inbox.take(), await inbox.take()], [1, 2]);
  assert.deepEqual(log, ['pause']);
  assert.equal(await inbox.take(), 3);
  assert.deepEqual(log, ['pause', 'resume']);
  await assert.rejects(inbox.take(), /late/);
});

test('WAL is handed out as it came, zeros follow the end, and a hole is refused', async () => {
  const start = 0x1_0000_0000n;
  const wal = randomBytes(2 * MIB + 100_000);
  const buffer = new WalBuffer(start, NO_FLOW);
  const end = start + BigInt(wal.length) - 50n;
  const reading = Array.fromAsync(buffer.read(end, start + 4n * BigInt(MIB)));
  for (let at = 0; at < wal.length; at += 8192) {
    buffer.append(start + BigInt(at), wal.subarray(at, at + 8192));
    if (at % 81_920 === 0) await Promise.resolve();
  }
  const read = Buffer.concat(await reading);
  assert.equal(read.length, 4 * MIB);
  assert.deepEqual(read.subarray(0, wal.length - 50), wal.subarray(0, -50));
  assert.ok(read.subarray(wal.length - 50).every((byte) => byte === 0));
  assert.throws(() => buffer.append(start, wal), /a hole, or a step back/);
});

test('a status that reports nothing flushed says so, and asks for a reply when told to', () => {
  const message = statusMessage(77n, 0n, true);
  assert.equal(message.readInt32BE(1), message.length - 1);
  assert.deepEqual([message.readBigUInt64BE(6), message.readBigUInt64BE(14), message.at(-1)], [77n, 0n, 1]);
});
