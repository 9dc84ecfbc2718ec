/** Files by the API: export packages out and in again, rows as a file, uploads that go wrong; and sandboxes that a worker keeps. */
import assert from 'node:assert/strict';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, apiServer } from '../support/api.ts';
import { holdfast } from '../support/holdfast.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { runOk } from '../support/run.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

const available = await majors();
const major = available.at(-1)!;
const skip = available.length === 0 && 'needs PostgreSQL';

interface Shown {
  readonly id: string;
  readonly state: string;
  readonly url: string | null;
  readonly error: { readonly code: string } | null;
  readonly outcome: Readonly<Record<string, unknown>> | null;
}

let pg: TestServer | undefined;
let world: BackupApp;
let api: ApiServer;
let exchange: string;

before(async () => {
  pg = available.length === 0 ? undefined : await startPostgres({ major });
  await pg?.sql(
    'create table patients (id int primary key, name text); insert into patients values (1, $$Ana$$), (2, $$Bo, C$$)',
  );
  world = await backupApp({ local: ['a'], ...(pg === undefined ? {} : { databaseUrl: pg.url() }) });
  await writeFile(join(world.media, 'scan.dcm'), Buffer.alloc(100_000, 7));
  await world.backUp();
  exchange = world.dir.join('.holdfast', 'exchange');
  await writeFile(
    world.configFile,
    `${await readFile(world.configFile, 'utf8')}server: { exchange: { maxUpload: 128MiB } }\n`,
  );
  api = await apiServer({ configFile: world.configFile, worker: true, limits: { idle: 4_000 } });
  await api.refreshPoints();
});

after(async () => {
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
  await pg?.[Symbol.asyncDispose]();
});

async function post(path: string, json: object, who = 'administrator') {
  const response = await api.ask(path, { method: 'POST', json, who });
  return { status: response.status, body: await response.json(), location: response.headers.get('location') };
}

/** Until it is as wanted. */
async function watched(path: string, states: readonly string[]): Promise<Shown> {
  for (;;) {
    const shown = (await (await api.ask(path)).json()) as Shown;
    if (states.includes(shown.state)) return shown;
    if (shown.state === 'failed') throw new Error(JSON.stringify(shown));
    await sleep(100);
  }
}

const OVER = ['succeeded', 'partial', 'failed', 'cancelled'];

const upload = (
  bytes: NonNullable<RequestInit['body']>,
  options: { type?: string; who?: string; to?: string } = {},
) => {
  const { type = 'application/x-tar', who = 'administrator', to = world.dir.join('restored') } = options;
  return fetch(`${api.url}/api/v1/backup/restores/restore_from_file/?to=${encodeURIComponent(to)}`, {
    ...{ method: 'POST', body: bytes, duplex: 'half' },
    headers: { 'content-type': type, authorization: `Bearer hf_test_${who}` },
  } as RequestInit);
};

const codeOf = async (response: Response) => [response.status, ((await response.json()) as { code: string }).code];

test('a package is made by a run, downloaded whole and in part, uploaded again and restored by a run', async () => {
  const asked = await post('/api/v1/backup/system/create_export_package/', { backup: 'latest' });
  assert.equal(asked.status, 202);
  const run = await watched(asked.location!, OVER);
  assert.equal(run.state, 'succeeded', JSON.stringify(run.error));
  const result = `/api/v1/runs/${run.id}/result`;
  const response = await api.ask(result);
  assert.equal(response.headers.get('content-type'), 'application/x-tar');
  const packed = Buffer.from(await response.arrayBuffer());
  assert.equal(packed.length, run.outcome?.bytes);
  const part = await api.ask(result, { headers: { range: 'bytes=512-1023' } });
  assert.equal(part.status, 206);
  assert.ok(packed.subarray(512, 1024).equals(Buffer.from(await part.arrayBuffer())));
  assert.equal((await api.ask(result, { who: 'viewer' })).status, 403);
  assert.equal((await api.ask(result, { who: 'operator@other' })).status, 404);

  const streamed = Buffer.from(await (await api.ask('/api/v1/points/latest/package')).arrayBuffer());
  assert.equal(streamed.length, packed.length);

  const taken = await upload(new Blob([packed]).stream());
  assert.equal(taken.status, 202, await taken.clone().text());
  const restored = await watched(taken.headers.get('location')!, OVER);
  assert.equal(restored.state, 'succeeded', JSON.stringify(restored.error));
  assert.equal((await stat(world.dir.join('restored', 'media', 'scan.dcm'))).size, 100_000);
  if (pg === undefined) return;
  await using again = await startPostgres({ major, dataDir: world.dir.join('restored', 'database') });
  assert.deepEqual(await again.sql('select count(*)::int n from patients'), [{ n: 2 }]);
});

test('uploads that are too large, no package, not allowed, given up or silent are refused and leave no file', async () => {
  const before = await readdir(exchange);
  const large = upload(new Blob(Array.from({ length: 130 }, () => Buffer.alloc(2 ** 20))));
  assert.deepEqual(await large.then(codeOf, () => [413, 'request_too_large']), [413, 'request_too_large']);
  assert.deepEqual(await codeOf(await upload(Buffer.alloc(5_000, 1))), [422, 'package_refused']);
  assert.deepEqual(await codeOf(await upload('')), [422, 'package_refused']);
  assert.deepEqual(await codeOf(await upload('x', { type: 'text/plain' })), [415, 'media_type_refused']);
  assert.deepEqual(await codeOf(await upload('x', { who: 'operator' })), [403, 'forbidden']);
  assert.deepEqual(await codeOf(await upload('x', { to: 'relative' })), [422, 'request_invalid']);

  const tar = Buffer.alloc(1024);
  tar.write('ustar\0', 257);
  const begin = () => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    const lines = [
      'POST /api/v1/backup/restores/restore_from_file?to=/x HTTP/1.1',
      'Host: localhost',
      'Authorization: Bearer hf_test_administrator',
      'Content-Type: application/x-tar',
      'Content-Length: 100000',
    ];
    socket.write(`${lines.join('\r\n')}\r\n\r\n`);
    socket.write(tar);
    return socket;
  };
  const silent = begin();
  const answer = await new Promise<string>((resolve) => silent.once('data', (bytes) => resolve(bytes.toString())));
  assert.match(answer, /^HTTP\/1\.1 503 .*request_timeout/s);
  silent.destroy();
  const gone = begin();
  while ((await readdir(exchange)).length === before.length) await sleep(20);
  gone.destroy();
  while ((await readdir(exchange)).length > before.length) await sleep(20);
  assert.deepEqual(await readdir(exchange), before);
});

test('a package that was changed is refused by the run, which leaves nothing', async () => {
  const packed = Buffer.from(await (await api.ask('/api/v1/points/latest/package')).arrayBuffer());
  packed[packed.indexOf('scan.dcm') + 2_000]! ^= 1;
  const taken = await upload(packed, { to: world.dir.join('changed') });
  const run = await watched(taken.headers.get('location')!, OVER).catch((error: Error) => JSON.parse(error.message));
  assert.equal((run as Shown).error?.code, 'package_refused');
  await assert.rejects(readdir(world.dir.join('changed')));
});

test('rows of a moment are a file to download, as CSV', { skip }, async () => {
  const point = ((await (await api.ask('/api/v1/points')).json()) as { items: { id: string }[] }).items[0]!.id;
  const asked = await post('/api/v1/rows/export', { at: point, table: 'patients' });
  const { id } = await watched(asked.location!, OVER);
  const result = await api.ask(`/api/v1/runs/${id}/result`);
  assert.match(result.headers.get('content-type') ?? '', /^text\/csv/);
  assert.match(await result.text(), /1,Ana\n2,"Bo, C"\n/);
});

test('the command line fetches rows from a server into a file of its own', { skip }, async () => {
  const [point] = ((await (await api.ask('/api/v1/points')).json()) as { items: { id: string }[] }).items;
  const words = ['rows', '--at', point!.id, '--table', 'patients', '--where', 'id = 2', '--to', 'rows.json', '--json'];
  const at = { cwd: api.dir.path };
  const { code, stderr, summary } = await holdfast([...words, '--server', api.url, '--token-file', api.tokenFile], at);
  assert.deepEqual([code, summary?.rows], [0, 1], stderr);
  assert.match(await readFile(api.dir.join('rows.json'), 'utf8'), /"Bo, C"/);
});

test('the command line has a server merge rows back, shows what it did, and nothing without the name of the database', {
  skip,
}, async () => {
  const [point] = ((await (await api.ask('/api/v1/points')).json()) as { items: { id: string }[] }).items;
  const words = ['rows', '--at', point!.id, '--table', 'patients', '--merge-into', 'database', '--update'];
  const merge = (...more: string[]) =>
    holdfast([...words, ...more, '--server', api.url, '--token-file', api.tokenFile], { cwd: api.dir.path });
  const rows = () => pg!.sql('select id, name from patients order by id');
  await pg!.sql('delete from patients where id = 2; update patients set name = $$Eva$$ where id = 1');
  const undo = world.dir.join('undo.sql');
  assert.equal((await merge('--confirm', 'clinic', '--json')).error?.error, 'confirmation_missing');
  assert.deepEqual(await rows(), [{ id: 1, name: 'Eva' }]);
  const done = await merge('--confirm', 'postgres', '--reversal', undo);
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stdout, /public\.patients +1 +1 +0/);
  assert.match(done.stdout, /Into postgres: 1 row inserted, 1 made as they were\./);
  assert.deepEqual(await rows(), [
    { id: 1, name: 'Ana' },
    { id: 2, name: 'Bo, C' },
  ]);
  await pg!.sql(await readFile(undo, 'utf8'));
  assert.deepEqual(await rows(), [{ id: 1, name: 'Eva' }], 'where the worker is, the script that undoes it stands');
});

test('a sandbox is made, shown, used and ended, and nothing of it is left', { skip }, async () => {
  const point = ((await (await api.ask('/api/v1/points')).json()) as { items: { id: string }[] }).items[0]!.id;
  assert.equal((await post('/api/v1/sandboxes', { at: point }, 'viewer')).status, 403);
  assert.equal((await post('/api/v1/sandboxes', { at: point, for: '30d' })).status, 422);
  const asked = await post('/api/v1/sandboxes', { at: point, for: '10m' }, 'operator');
  assert.equal(asked.status, 202, JSON.stringify(asked.body));
  const path = asked.location!;
  const { url } = await watched(path, ['ready']);
  const rows = await runOk('psql', [url!, '-Atc', 'select count(*) from patients']);
  assert.equal(rows.stdout.trim(), '2');
  const list = (await (await api.ask('/api/v1/sandboxes', { who: 'viewer' })).json()) as { items: Shown[] };
  assert.deepEqual(
    list.items.map(({ state }) => state),
    ['ready'],
  );
  assert.equal((await api.ask(path, { who: 'viewer@other' })).status, 404);
  assert.equal((await api.ask(path, { method: 'DELETE', who: 'viewer' })).status, 403);
  assert.equal((await api.ask(path, { method: 'DELETE', who: 'operator' })).status, 202);
  const ended = (await watched(path, ['ended'])) as Shown & { directory: string | null };
  assert.deepEqual([ended.url, ended.directory], [null, null]);
  const run = (await (await api.ask(`/api/v1/runs/${ended.id}`)).json()) as Shown;
  await assert.rejects(stat(String(run.outcome?.directory)));
});
