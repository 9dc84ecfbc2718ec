import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isNewPage, pageChecksum, pageLsn, statedChecksum } from './page.ts';

/** A page with a header and a pattern. */
function page(): Buffer {
  const bytes = Buffer.alloc(8192);
  bytes.writeUInt32LE(1, 0);
  bytes.writeUInt32LE(0x2345, 4);
  bytes.writeUInt16LE(8192, 14);
  for (let i = 100; i < 8192; i++) bytes[i] = (i * 7) & 0xff;
  return bytes;
}

test('position and use of a page are read from its header', () => {
  assert.equal(pageLsn(page()), 0x1_0000_2345n);
  assert.equal(isNewPage(page()), false);
  assert.equal(isNewPage(Buffer.alloc(8192)), true);
});

test('the checksum changes with any byte and with the place of the page, not with the checksum it states', () => {
  const sum = pageChecksum(page(), 5);
  const stated = page();
  stated.writeUInt16LE(sum, 8);
  assert.equal(statedChecksum(stated), sum);
  assert.equal(pageChecksum(stated, 5), sum);
  assert.notEqual(pageChecksum(stated, 6), sum);
  stated[8191] = (stated[8191] as number) ^ 1;
  assert.notEqual(pageChecksum(stated, 5), sum);
});
