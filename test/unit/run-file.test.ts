import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { processesMarked } from '../../scripts/testing/leaks.ts';
import { runFile } from '../../scripts/testing/run-file.ts';
import { tempDir } from '../support/temp.ts';

/** Runs a test file of this text the way the test command does. */
async function runText(text: string, timeoutMs = 60_000) {
  await using dir = await tempDir();
  const file = dir.join('x.test.ts');
  await writeFile(file, `import { describe, test } from 'node:test';\n${text}`);
  const directory = dir.join('run');
  return { ...(await runFile({ file, directory, env: process.env, timeoutMs })), mark: directory };
}

test('passed, failed and skipped tests are counted, with the reason for a skip', async () => {
  const { tally, problems } = await runText(`
    test('a', () => {});
    describe('b', () => { test('c', () => {}); test('d', () => { throw new Error('no'); }); });
    test('e', { skip: 'needs f' }, () => {});`);
  assert.deepEqual(tally, { passed: 2, failed: 1, skips: [{ test: 'e', reason: 'needs f' }] });
  assert.deepEqual(problems, []);
});

test('what failed is told with its suite and its words, without the frames of Node', async () => {
  const { failed } = await runText(`
    test('a', () => {});
    describe('b', () => { test('c', () => { throw new Error('no', { cause: new Error('because') }); }); });`);
  assert.deepEqual(
    failed.map(({ what }) => what),
    ['b › c'],
  );
  assert.match(failed[0]?.text ?? '', /^Error: no\n {4}at .*x\.test\.ts[\s\S]*caused by: Error: because/);
  assert.doesNotMatch(failed[0]?.text ?? '', /node:internal/);
});

test('a file that cannot be loaded fails', async () => {
  const { tally, output } = await runText(`import './not-there.ts';`);
  assert.equal(tally.passed, 0);
  assert.ok(tally.failed > 0);
  assert.match(output, /not-there/);
});

test('a file without tests fails', async () => {
  const { problems } = await runText('');
  assert.deepEqual(problems, ['has no tests']);
});

test('a file whose suite hook throws fails', async () => {
  const { tally } = await runText(`
    import { before } from 'node:test';
    describe('s', () => { before(() => { throw new Error('no'); }); test('a', () => {}); });`);
  assert.ok(tally.failed > 0);
});

test('a file that ends itself early fails', async () => {
  const { tally } = await runText(`test('a', () => process.exit(0)); test('b', () => {});`);
  assert.ok(tally.failed > 0);
});

test('a file that hangs is killed', async () => {
  const { tally, problems, failed } = await runText(
    `test('a', () => {}); test('b', () => { console.log('last words'); return new Promise(() => setInterval(() => {}, 1e9)); });`,
    10_000,
  );
  assert.ok(tally.failed > 0);
  assert.match(problems[0] ?? '', /^did not end within 10 s and was killed, during "b"$/);
  assert.match(failed[0]?.text ?? '', /last words/);
});

test('a process left behind is found, even one that made itself a daemon, and ended', {
  skip: process.platform !== 'linux',
}, async () => {
  const { problems, mark } = await runText(`
    import { spawn } from 'node:child_process';
    test('a', () => spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref());`);
  assert.equal(problems.length, 1);
  assert.match(problems[0] ?? '', /^left running: sleep 600 \(process \d+\)$/);
  assert.deepEqual(processesMarked(mark), []);
});

test('files left in the temporary directory are found', async () => {
  const { tally, problems } = await runText(`
    import { mkdtempSync } from 'node:fs';
    import { tmpdir } from 'node:os';
    test('a', () => mkdtempSync(tmpdir() + '/left-'));`);
  assert.match(problems[0] ?? '', /left in the temporary directory: left-/);
  assert.equal(tally.failed, 1);
});
