/** What the demonstration shows while something takes long, and that it is about as large as it says. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { FULL_CLINIC } from '../../demo/clinic.ts';
import { narrator } from '../../demo/narrate.ts';

function narrate(isTTY: boolean): string {
  const output = Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY, columns: 40 });
  const { live, say } = narrator(output as unknown as NodeJS.WriteStream, false, () => 0);
  live('photographs 10 of 20');
  live(`photographs 20 of 20${'.'.repeat(50)}`);
  say('20 photographs');
  return String(output.read());
}

test('on a terminal one line is written again and again, never wider than it, and gives way to the result', () => {
  assert.equal(
    narrate(true),
    `\r\u001b[K  photographs 10 of 20\r\u001b[K  photographs 20 of 20${'.'.repeat(17)}\r\u001b[K  20 photographs\n`,
  );
});

test('elsewhere only results are written', () => {
  assert.equal(narrate(false), '  20 photographs\n');
});

test('the clinic of the demonstration has some hundred MiB of files', () => {
  assert.ok(FULL_CLINIC.megabytes >= 150 && FULL_CLINIC.megabytes <= 500, `${FULL_CLINIC.megabytes} MiB`);
});
