/** A directory of very many files, and the memory that a backup of it takes. */
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { rmdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BackUpOutcome } from '../../src/operations/back-up.ts';
import { HOLDFAST, jsonLines } from '../support/holdfast.ts';
import { need } from '../support/needs.ts';
import { runOk } from '../support/run.ts';
import { backupApp } from './fixtures/backup-app.ts';

const MIB = 1024 * 1024;
const restic = await need('restic');

/** Runs the command line under a shell that watches it; peak resident memory in bytes. */
async function backUpMeasured(configFile: string) {
  const measure = `"$0" --config "$1" backup --json & pid=$!
    peak=0
    while kill -0 $pid 2>/dev/null; do
      now=$(awk '/^VmHWM/ { print $2 }' /proc/$pid/status 2>/dev/null)
      [ "\${now:-0}" -gt "$peak" ] && peak=$now
      sleep 0.05
    done
    wait $pid; status=$?
    echo "{\\"peak\\": $peak}"
    exit $status`;
  const { stdout } = await runOk('sh', ['-c', measure, HOLDFAST, configFile]);
  const lines = jsonLines(stdout);
  return {
    summary: lines.find((line) => line.message_type === 'summary') as unknown as BackUpOutcome,
    peak: Number(lines.at(-1)?.peak) * 1024,
  };
}

/** A directory on a file system in memory, where there is one: 200,000 files are made there in a tenth of the time. */
function inMemory(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'hf-many-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

test('200,000 files in one directory: memory stays below 500 MiB, and nothing is read a second time', {
  skip: restic.skip,
}, async () => {
  await using app = await backupApp({ local: ['a'] });
  using place = inMemory();
  await rmdir(app.media);
  await symlink(place.path, app.media);
  const directory = join(app.media, 'flat');
  mkdirSync(directory);
  for (let i = 0; i < 200_000; i++) closeSync(openSync(join(directory, `file-${String(i).padStart(7, '0')}`), 'w'));
  writeFileSync(join(directory, 'file-0000000'), 'one with content');
  for (const expected of [
    { files_new: 200_000, files_unmodified: 0 },
    { files_new: 0, files_unmodified: 200_000 },
  ]) {
    const { summary, peak } = await backUpMeasured(app.configFile);
    const { files_new, files_unmodified } = summary.sources.media!;
    assert.deepEqual({ files_new, files_unmodified }, expected);
    assert.ok(peak > 50 * MIB && peak < 500 * MIB, `${Math.round(peak / MIB)} MiB`);
  }
  await app.assertWhole();
});
