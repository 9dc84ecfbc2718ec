import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isKey, isSealedName } from '../storage/keys.ts';
import { historyKey, namePiece, parseHistoryKey, parsePieceKey, pieceKey, type WalSpan } from './piece.ts';

const MIB = 1024 * 1024;
const SPAN: WalSpan = {
  systemIdentifier: '7461234567890123456',
  timeline: 0x1f,
  start: 0x3_0100_0000n,
  end: 0x3_0100_2000n,
  segmentSize: 16 * MIB,
  firstCommit: 1_763_700_000_000_001n,
  lastCommit: 1_763_700_005_000_000n,
};

test('a piece is found again in its name, which any storage takes', () => {
  const piece = namePiece(SPAN, Buffer.from('sealed'));
  const key = pieceKey(piece);
  assert.deepEqual(parsePieceKey(key), piece);
  assert.ok(isKey(key) && isSealedName(key), key);
  const quiet = namePiece({ ...SPAN, firstCommit: undefined, lastCommit: undefined }, Buffer.from('sealed'));
  assert.deepEqual(parsePieceKey(pieceKey(quiet)), quiet);
});

test('the order of names is the order of the log', () => {
  const at = (start: bigint) => pieceKey(namePiece({ ...SPAN, start, end: start + 1n }, Buffer.from('x')));
  assert.ok(at(0x9_0000_0000n) < at(0x10_0000_0000n));
});

test('a history file is found again in its name', () => {
  const history = {
    systemIdentifier: '7461234567890123456',
    timeline: 2,
    hash: namePiece(SPAN, Buffer.from('h')).hash,
  };
  assert.deepEqual(parseHistoryKey(historyKey(history)), history);
});

test('a name that makes no sense is no piece', () => {
  const key = pieceKey(namePiece(SPAN, Buffer.from('sealed')));
  const wrong = [
    key.replace('0000001f', '00000000'),
    key.replace('.16.', '.15.'),
    key.replace('.16.', '.0.'),
    key.replace('0000000301002000', '0000000301000000'),
    key.replace('0000000301002000', '0000000302000001'),
    key.replace('1763700000000001', '0'),
    key.replace('1763700000000001', '1763700006000000'),
    `${key}0`,
    `x/${key}`,
  ];
  for (const name of wrong) assert.equal(parsePieceKey(name), undefined, name);
});

test('a span across a border of segments, or of no bytes, is not named', () => {
  assert.throws(() => namePiece({ ...SPAN, end: SPAN.start }, Buffer.from('x')), { code: 'internal' });
  assert.throws(() => namePiece({ ...SPAN, end: SPAN.start + BigInt(16 * MIB) + 1n }, Buffer.from('x')), {
    code: 'internal',
  });
});
