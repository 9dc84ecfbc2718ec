/** `holdfast status`, as monitoring asks it: a database whose WAL is streamed, promises kept, then broken one after the other. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { StatusReport } from '../../src/operations/status.ts';
import { HOLDFAST, holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { tempDir } from '../support/temp.ts';

test('status tells what would be lost, what is promised, and what is wrong', async (t) => {
  const dir = await tempDir();
  t.after(() => dir.remove());
  await using server = await startPostgres({ major: 17 });
  await server.sql('create table visits (id int primary key)');
  await mkdir(join(dir.path, 'media'));
  await writeFile(join(dir.path, 'media', 'photo'), 'x');
  const configuration = (objectives: object) =>
    writeConfig(dir.path, {
      repository: { password: 'correct horse' },
      storages: Object.fromEntries(['a', 'b'].map((name) => [name, { type: 'local', path: `./${name}` }])),
      apps: {
        clinic: {
          objectives,
          sources: {
            database: {
              type: 'postgres',
              url: server.url({ tcp: true }),
              wal: { mode: 'stream', flushEvery: '200ms' },
            },
            media: { type: 'files', path: './media' },
          },
        },
      },
    });
  const config = await configuration({ rpo: '1h', rto: '1h' });
  const options = { env: { HOLDFAST_CONFIG: config } };
  const look = async (...flags: string[]) => {
    const done = await holdfast(['status', '--json', ...flags], options);
    return { code: done.code, report: done.document<StatusReport>() };
  };
  const problemsOf = ({ problems }: StatusReport) => problems.map(({ about, what }) => `${about}: ${what}`).join('\n');
  const stateOf = ({ objectives }: StatusReport, name: string) =>
    objectives.find(({ objective }) => objective === name)?.state;
  await holdfastOk(['init'], options);

  const empty = await look('--check');
  assert.equal(empty.code, 6, 'nothing is protected yet: the RPO is broken');
  assert.equal(stateOf(empty.report, 'rpo'), 'broken');
  assert.match(problemsOf(empty.report), /points: there is none/);
  assert.match(problemsOf(empty.report), /nothing receives the WAL/);

  const stream = spawn(HOLDFAST, ['wal', 'stream'], { env: { ...process.env, ...options.env }, stdio: 'ignore' });
  t.after(() => stream.kill('SIGKILL'));
  await holdfastOk(['backup'], options);
  await server.sql('insert into visits values (1)');
  let good = await look('--check');
  for (let tries = 0; tries < 600 && good.report.wal[0]?.loss.seconds !== 0; tries++) {
    await sleep(250);
    good = await look('--check');
  }
  assert.equal(good.code, 0, problemsOf(good.report));
  assert.equal(stateOf(good.report, 'rpo'), 'kept');
  assert.equal(stateOf(good.report, 'rto'), 'unknown');
  assert.equal(stateOf(good.report, 'copies'), 'kept');
  assert.equal(good.report.outcome, 'attention');
  assert.match(problemsOf(good.report), /no point was ever restored/);
  assert.equal(good.report.wal[0]?.windows.length, 1);
  const { stream: heard } = good.report.wal[0];
  assert.equal(heard?.alive, true);
  for (const time of [heard.since, heard.updated]) assert.match(time ?? '', /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.doesNotMatch(JSON.stringify(good.report), /"[a-z0-9]+[A-Z][A-Za-z]*":/, 'members are written like_this');
  assert.deepEqual(
    good.report.storages.map(({ storage, state, points }) => ({ storage, state, points })),
    ['a', 'b'].map((storage) => ({ storage, state: 'good', points: 1 })),
  );

  stream.kill('SIGTERM');
  await once(stream, 'exit');
  await server.sql('insert into visits values (2)');
  const stopped = await look();
  assert.match(problemsOf(stopped.report), /nothing receives the WAL/);

  await configuration({ rpo: '1ms' });
  const late = await look('--check');
  assert.equal(late.code, 6, 'a commit that is not archived is at risk');
  assert.equal((await look()).code, 0, 'without --check it is only told');

  await rename(join(dir.path, 'b'), join(dir.path, 'elsewhere'));
  const lost = await look('--check');
  assert.equal(lost.code, 6);
  assert.equal(stateOf(lost.report, 'copies'), 'broken');
  assert.equal(lost.report.storages.find(({ storage }) => storage === 'b')?.state, 'lost');

  const text = await holdfastOk(['status'], options);
  assert.match(text.stdout, /clinic: an objective is broken/);
  assert.match(text.stdout, /✗ COPIES 1 of 2/);
});
