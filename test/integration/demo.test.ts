import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { holdfastOk } from '../support/holdfast.ts';
import { run } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const script = fileURLToPath(new URL('../../scripts/demo.ts', import.meta.url));
const demo = (...args: string[]) => run(process.execPath, [script, ...args], { timeoutMs: 10 * 60_000 });

test('the demonstration brings everything back, leaves a clinic that works with commands to try, and cleans up on request', async () => {
  await using dir = await tempDir({ open: true });
  const root = dir.join('demo');
  try {
    const played = await demo('--small', '--directory', root);
    assert.equal(played.code, 0, played.stdout + played.stderr);
    assert.match(played.stdout, /✔ patients +300 rows/);
    assert.match(played.stdout, /✔ every row that names a file has it/);
    assert.doesNotMatch(played.stdout, /✖/);
    assert.match(played.stdout, /Into clinic: [\d,]+ rows inserted/);
    assert.match(played.stdout, /Proven\./);
    assert.match(played.stdout, /clinic: safe/);
    assert.match(played.stdout, /✔ a scheduled backup happened, with two copies of three: partial/);
    assert.match(played.stdout, /a mail for oncall@clinic\.example: \[WARNING\] clinic: The backup is not complete/);
    assert.match(played.stdout, /a mail for oncall@clinic\.example: \[RESOLVED\] clinic: The backup is not complete/);

    const next = played.stdout
      .split('Try next:')[1]!
      .split('\n')
      .filter((line) => line.startsWith('  '));
    assert.ok(next.length > 5);
    const tried = await run('sh', ['-ec', next.join('\n')]);
    assert.equal(tried.code, 0, tried.stdout + tried.stderr);
    assert.equal((await readdir(`${root}/signatures/media/signatures`)).length, 6);

    const config = `${root}/holdfast.yaml`;
    await holdfastOk(['backup', '--config', config]);
    const points = (await holdfastOk(['points', '--json', '--config', config])).document<{ storages: object }[]>();
    assert.ok(points.length >= 6);
  } finally {
    await demo('--clean', '--directory', root);
  }
  assert.equal(existsSync(root), false);
});

test('a directory that is not from the demonstration is left alone', async () => {
  await using dir = await tempDir();
  const root = dir.join('precious');
  await mkdir(`${root}/data`, { recursive: true });
  for (const flag of ['--small', '--clean']) {
    const refused = await demo(flag, '--directory', root);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /left alone/);
  }
  assert.deepEqual(await readdir(root), ['data']);
});
