import assert from 'node:assert/strict';
import { createHash, randomInt } from 'node:crypto';
import { test } from 'node:test';
import { isFailure } from '../base/failure.ts';
import { parseManifest, verifyAgainst } from './server-manifest.ts';

/** A manifest as the server writes it, with its own checksum on the last line. */
function manifest(files: readonly object[], systemIdentifier = '18446744073709551557'): Buffer {
  const head =
    `{ "PostgreSQL-Backup-Manifest-Version": 2,\n"System-Identifier": ${systemIdentifier},\n"Files": [\n` +
    `${files.map((file) => JSON.stringify(file)).join(',\n')}\n],\n"WAL-Ranges": [\n],\n`;
  return Buffer.from(`${head}"Manifest-Checksum": "${createHash('sha256').update(head).digest('hex')}"}\n`);
}

// "17\n" has the CRC-32C 0x05024464, printed in little-endian byte order.
const VERSION_FILE = { Path: 'PG_VERSION', Size: 3, 'Checksum-Algorithm': 'CRC32C', Checksum: '64440205' };
const SEEN = new Map([['PG_VERSION', { size: 3, crc: 0x05024464 }]]);

test('a system identifier of 64 bits keeps every digit', () => {
  assert.equal(parseManifest(manifest([VERSION_FILE])).systemIdentifier, '18446744073709551557');
});

test('files that agree pass; another size, another checksum, a missing or an extra file do not', () => {
  const parsed = parseManifest(manifest([VERSION_FILE]));
  verifyAgainst(parsed, SEEN);
  const wrong: [Map<string, { size: number; crc: number }>, RegExp][] = [
    [new Map([['PG_VERSION', { size: 4, crc: 0x05024464 }]]), /4 bytes instead of 3/],
    [new Map([['PG_VERSION', { size: 3, crc: 0x64440205 }]]), /another checksum/],
    [new Map(), /PG_VERSION was not sent/],
    [new Map([...SEEN, ['extra', { size: 0, crc: 0 }]]), /extra was sent but is not listed/],
  ];
  for (const [streamed, message] of wrong) assert.throws(() => verifyAgainst(parsed, streamed), message);
});

test('an encoded path is decoded', () => {
  const { Path, ...rest } = VERSION_FILE;
  const encoded = { 'Encoded-Path': Buffer.from(Path).toString('hex'), ...rest };
  verifyAgainst(parseManifest(manifest([encoded])), SEEN);
});

test('a manifest that was altered anywhere is refused', () => {
  const good = manifest([VERSION_FILE]);
  for (let round = 0; round < 500; round++) {
    const bad = Buffer.from(good);
    const at = randomInt(bad.length - 1);
    bad[at] = (bad[at] ?? 0) ^ (1 << randomInt(7));
    assert.throws(
      () => verifyAgainst(parseManifest(bad), SEEN),
      (error) => isFailure(error, 'postgres_protocol'),
      `byte ${at}`,
    );
  }
});
