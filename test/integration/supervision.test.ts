/** A command that a worker of the service started: it asks before anything becomes final, and ends when the worker is gone. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { HOLDFAST, type JsonLine, jsonLines } from '../support/holdfast.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

type Worker = (question: JsonLine, pipe: Duplex) => void;

interface Ended {
  readonly code: number | null;
  readonly summary: JsonLine | undefined;
  readonly error: JsonLine | undefined;
  readonly asked: readonly unknown[];
}

const yes: Worker = (_question, pipe) => void pipe.write('{"permit":true}\n');
const no: Worker = (_question, pipe) => void pipe.write('{"permit":false}\n');
const dies: Worker = (_question, pipe) => void pipe.destroy();

test('a backup asks before its point is visible; carried out again, the run answers with the same point', async () => {
  // The hook starts a Holdfast of its own, which is nobody's run and has no pipe.
  const afterBackup = ['sh', '-c', `${HOLDFAST} version && test -z "$HOLDFAST_RUN$HOLDFAST_SUPERVISED"`];
  await using app = await backupApp({ app: { hooks: { afterBackup } } });
  await writeFile(join(app.media, 'file'), 'content');
  const refused = await supervised(app, 'run-1', no);
  assert.equal(refused.error?.error, 'run_lost');
  assert.equal(refused.code, 11);
  assert.deepEqual(await points(app), []);

  const cut = await supervised(app, 'run-1', dies);
  assert.equal(cut.error?.error, 'interrupted', 'the worker died: as if it had been told to stop');
  assert.deepEqual(await points(app), []);

  const made = await supervised(app, 'run-1', yes);
  assert.equal(made.code, 0);
  assert.deepEqual(made.asked, ['point', 'point'], 'once for each storage');
  const again = await supervised(app, 'run-1', no);
  assert.equal(again.code, 0);
  assert.equal(again.summary?.point, made.summary?.point);
  assert.deepEqual(again.summary?.storages, made.summary?.storages);
  assert.equal((await points(app)).length, 1);

  const other = await supervised(app, 'run-2', yes);
  assert.notEqual(other.summary?.point, made.summary?.point);
  await app.assertWhole();
});

test('what removes asks too: a run that was lost forgets and prunes nothing', async () => {
  await using app = await backupApp({ app: { retention: { last: 1 } } });
  await app.backUp();
  await app.backUp();
  const [oldest] = await points(app);
  for (const command of [['prune'], ['forget', oldest!.id]]) {
    const { error, asked } = await supervised(app, 'run-3', no, command);
    assert.equal(error?.error, 'run_lost');
    assert.deepEqual(asked, ['removal']);
  }
  assert.equal((await points(app)).length, 2);
  const { code } = await supervised(app, 'run-3', yes, ['prune']);
  assert.equal(code, 0);
  assert.equal((await points(app)).length, 1);
});

async function points(app: BackupApp): Promise<{ id: string }[]> {
  return (await app.ok(['points', '--json'])).document();
}

async function supervised(app: BackupApp, run: string, worker: Worker, command = ['backup']): Promise<Ended> {
  const child: ChildProcess = spawn(HOLDFAST, ['--config', app.configFile, '--json', ...command], {
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { ...process.env, HOLDFAST_SUPERVISED: '3', HOLDFAST_RUN: run },
  });
  const pipe = child.stdio[3] as Duplex;
  pipe.on('error', () => {}); // closed by the child's end, or by us on purpose
  const asked: unknown[] = [];
  createInterface({ input: pipe }).on('line', (line) => {
    const question = JSON.parse(line) as JsonLine;
    asked.push(question.step);
    worker(question, pipe);
  });
  const [out, err, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'close')]);
  const summary = jsonLines(out).findLast(({ message_type }) => message_type === 'summary');
  const error = jsonLines(err).findLast(({ message_type }) => message_type === 'exit_error');
  return { code: code as number | null, summary, error, asked };
}
