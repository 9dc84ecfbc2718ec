/** The HTTP API on a real repository: what is described is what is answered, and what is downloaded is what was backed up. */
import assert from 'node:assert/strict';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import type { Endpoint } from '../../src/api/endpoint.ts';
import type { Problem } from '../../src/server/problem.ts';
import { type ApiServer, apiServer } from '../support/api.ts';
import { run, runOk } from '../support/run.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';

const ODD = Buffer.from([0x62, 0xff, 0xfe, 0x2e, 0x62, 0x69, 0x6e]);

let world: BackupApp;
let api: ApiServer;
let first: string;
let newest: string;

before(async () => {
  world = await backupApp();
  await fillMedia(world.media);
  await writeFile(Buffer.concat([Buffer.from(`${world.media}/`), ODD]), 'odd name');
  await mkdir(join(world.media, 'd'.repeat(120)));
  await writeFile(join(world.media, 'd'.repeat(120), 'f'.repeat(200)), 'long name');
  first = (await world.backUp()).point;
  await writeFile(join(world.media, 'new.txt'), 'new');
  newest = (await world.backUp(['--label', 'second'])).point;
  api = await apiServer({ configFile: world.configFile });
  await api.refreshPoints();
});

after(async () => {
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const problemOf = async (response: Response): Promise<Problem> => {
  assert.equal(response.headers.get('content-type'), 'application/problem+json');
  return (await response.json()) as Problem;
};

test('the description passes the linter, and names every route that answers', async () => {
  const response = await api.ask('/api/v1/openapi.json', { who: '' });
  const source = await response.text();
  const problems = await lintFromString({ source, config: await createConfig({ extends: ['recommended'] }) });
  const errors = problems.filter(({ severity }) => severity === 'error');
  assert.deepEqual(
    errors.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer]),
    [],
  );
  const { paths } = JSON.parse(source) as { paths: Record<string, object> };
  const described = Object.entries(paths).flatMap(([path, methods]) => Object.keys(methods).map((m) => `${m} ${path}`));
  const registered = api.app.api.endpoints.map(({ method, path }) => `${method.toLowerCase()} ${path}`);
  assert.deepEqual(described.sort(), registered.sort());
  const ids = api.app.api.endpoints.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length, 'operation ids are unique');
});

test('every GET of a document answers as it is described, with a version that is recognised again', async () => {
  const ids = await somethingOfEach();
  const skipped: readonly string[] = ['streamEvents', 'downloadBackupJob', 'getRunResult'];
  let asked = 0;
  for (const endpoint of api.app.api.endpoints.filter(({ method, id }) => method === 'GET' && !skipped.includes(id))) {
    const path = pathOf(endpoint, ids);
    if (path.includes('{')) continue; // things that other tests make
    const response = await api.ask(path);
    const text = await response.text();
    assert.equal(response.status, 200, `${path}: ${text}`);
    assert.ok(response.headers.get('x-request-id'), path);
    assert.equal(response.headers.get('x-content-type-options'), 'nosniff', path);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/, path);
    asked += 1;
    const schema = endpoint.answer.body;
    if (schema === undefined) continue;
    const checked = schema.safeParse(JSON.parse(text));
    assert.equal(checked.error, undefined, `${path}: ${checked.error?.message}`);
    const etag = response.headers.get('etag');
    if (etag === null || tellsTheTime.includes(endpoint.id)) continue;
    const again = await api.ask(path, { headers: { 'if-none-match': etag } });
    assert.equal(again.status, 304, path);
  }
  assert.ok(asked > 30, `${asked} were asked`);
});

const tellsTheTime: readonly string[] = ['getStatus', 'getSystemStatus'];

async function somethingOfEach(): Promise<Readonly<Record<string, string>>> {
  const make = async (path: string, json: object): Promise<{ id: string; run: { id: string } }> => {
    const response = await api.ask(path, { method: 'POST', json });
    assert.ok(response.ok, await response.clone().text());
    assert.ok(response.headers.get('location')?.startsWith('/api/v1/'));
    return (await response.json()) as { id: string; run: { id: string } };
  };
  const { run } = await make('/api/v1/runs', { kind: 'backup' });
  const schedule = await make('/api/v1/schedules', { kind: 'prove', cron: '0 3 1 * *', timezone: 'Europe/Madrid' });
  const configuration = await make('/api/v1/backup/configurations', { name: 'nightly', type: 'FILES' });
  return { run: run.id, job: run.id, schedule: schedule.id, configuration: configuration.id };
}

function pathOf(endpoint: Endpoint, ids: Readonly<Record<string, string>>): string {
  const needs: Readonly<Record<string, string>> = {
    readFile: '?path=media/empty',
    listMeasurements: '?name=x',
    findFiles: '?pattern=*.sh',
    diffPoints: '?from=latest&to=latest',
  };
  const path = endpoint.path
    .replace('/jobs/{id}', `/jobs/${ids.job}`)
    .replace('{id}', ids.configuration!)
    .replace(/\{(run|schedule)\}/, (_, name: string) => ids[name]!)
    .replace('{point}', 'latest');
  return path + (needs[endpoint.id] ?? '');
}

test('documents are those that --json prints', async () => {
  const pairs: readonly (readonly [string, readonly string[]])[] = [
    ['/api/v1/points/latest', ['show', 'latest']],
    ['/api/v1/points/latest/entries?recursive=true', ['ls', '-R', 'latest']],
    ['/api/v1/points/latest/entries?path=media/photos', ['ls', 'latest', 'media/photos']],
    ['/api/v1/find?pattern=*.jpg', ['find', '*.jpg']],
    [`/api/v1/diff?from=${first}&to=${newest.slice(0, 10)}`, ['diff', first, newest]],
    ['/api/v1/proofs', ['proofs']],
    ['/api/v1/config', ['config', 'show']],
    ['/api/v1/wal/status', ['wal', 'status']],
  ];
  for (const [path, words] of pairs) {
    const local = (await world.ok([...words, '--json'])).document();
    assert.deepEqual(await (await api.ask(path)).json(), local, path);
  }
  const points = (await (await api.ask('/api/v1/points')).json()) as { items: object[] };
  assert.deepEqual(points.items.toReversed(), (await world.ok(['points', '--json'])).document());
});

test('a file is downloaded byte for byte, in whole and in part, also under a name that is no text', async () => {
  const photo = await readFile(join(world.media, 'photos', 'big.jpg'));
  const path = '/api/v1/points/latest/file?path=media/photos/big.jpg';
  const whole = await api.ask(path);
  assert.equal(whole.headers.get('content-length'), String(photo.length));
  assert.match(whole.headers.get('content-disposition') ?? '', /^attachment; filename="big.jpg"/);
  assert.equal(whole.headers.get('cache-control'), 'private, no-store', 'no browser keeps it');
  assert.ok(photo.equals(Buffer.from(await whole.arrayBuffer())));
  const etag = whole.headers.get('etag') ?? '';
  assert.equal((await api.ask(path, { headers: { 'if-none-match': etag } })).status, 304);
  for (const [range, from, to] of [
    ['bytes=0-0', 0, 1],
    ['bytes=1000000-2000000', 1_000_000, 2_000_001],
    ['bytes=-5', photo.length - 5, photo.length],
    ['bytes=3000000-', 3_000_000, photo.length],
  ] as const) {
    const part = await api.ask(path, { headers: { range } });
    assert.equal(part.status, 206);
    assert.equal(part.headers.get('content-range'), `bytes ${from}-${to - 1}/${photo.length}`);
    assert.ok(photo.subarray(from, to).equals(Buffer.from(await part.arrayBuffer())), range);
  }
  assert.equal((await api.ask(path, { headers: { range: 'bytes=99999999-' } })).status, 416);
  const head = await api.ask(path, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), String(photo.length));
  const bytes = Buffer.concat([Buffer.from('media/'), ODD]).toString('base64url');
  assert.equal(await (await api.ask(`/api/v1/points/latest/file?path_base64=${bytes}`)).text(), 'odd name');
  const missing = await api.ask('/api/v1/points/latest/file?path=media/../../etc/passwd');
  assert.equal(missing.status, 404);
  assert.equal((await problemOf(missing)).code, 'path_unknown');
  assert.equal((await api.ask('/api/v1/points/latest/file?path=media')).status, 404);
});

test('a directory comes as tar and as zip, whole, with every name', async () => {
  const fetchTo = async (format: string, name: string) => {
    const response = await api.ask(`/api/v1/points/latest/archive?path=media&format=${format}`);
    assert.equal(response.status, 200);
    const file = api.dir.join(name);
    await writeFile(file, Buffer.from(await response.arrayBuffer()));
    return file;
  };
  const into = api.dir.join('tar');
  await mkdir(into);
  await runOk('tar', ['-xpf', await fetchTo('tar', 'all.tar'), '-C', into]);
  assert.equal((await run('diff', ['-r', '--no-dereference', world.media, join(into, 'media')])).stdout, '');
  const stat = ['-c', '%a %Y %s', 'run.sh', 'photos/big.jpg', 'latest'];
  const kept = await runOk('stat', stat, { cwd: world.media });
  assert.equal((await runOk('stat', stat, { cwd: join(into, 'media') })).stdout, kept.stdout);

  const script = `import sys, zipfile
z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
sys.stdout.write(str(len(z.namelist())) + ' ' + z.read('media/new.txt').decode())`;
  const zip = await runOk('python3', ['-c', script, await fetchTo('zip', 'all.zip')]);
  const count = (await runOk('find', ['.', '-mindepth', '1'], { cwd: world.media })).stdout.split('./').length - 1;
  assert.equal(zip.stdout, `${count} new`);
});

test('who asks decides: nobody, a role too small, another app, a wrong token', async () => {
  const status = async (path: string, options: Parameters<ApiServer['ask']>[1]) =>
    (await api.ask(path, options)).status;
  assert.equal(await status('/api/v1/points', { who: '' }), 401);
  assert.equal(await status('/api/v1/points', { who: 'nobody' }), 401);
  assert.equal(await status('/api/v1/points', { who: 'viewer' }), 200);
  assert.equal(await status('/api/v1/points', { who: 'viewer@other' }), 403);
  assert.equal(await status('/api/v1/points?app=clinic', { who: 'viewer@clinic' }), 200);
  assert.equal(await status('/api/v1/config', { who: 'operator' }), 403);
  assert.equal(await status('/api/v1/runs', { who: 'viewer', method: 'POST', json: { kind: 'backup' } }), 403);
  const refused = await api.ask('/api/v1/points', { who: '' });
  assert.match(refused.headers.get('www-authenticate') ?? '', /^Bearer/);
});

test('nothing there, the wrong method, a body that is no JSON or too large', async () => {
  const unknown = await api.ask('/api/v1/nothing');
  assert.deepEqual([unknown.status, (await problemOf(unknown)).code], [404, 'route_unknown']);
  const method = await api.ask('/api/v1/points', { method: 'DELETE' });
  assert.deepEqual([method.status, method.headers.get('allow')], [405, 'GET, HEAD']);
  const post = (body: string, type = 'application/json') =>
    api.ask('/api/v1/runs', { method: 'POST', body, headers: { 'content-type': type } });
  assert.equal((await post('{')).status, 422);
  assert.equal((await post('<a/>', 'text/xml')).status, 415);
  assert.equal((await post(JSON.stringify({ kind: 'x'.repeat(2_000_000) }))).status, 413);
  const wrong = await problemOf(await post('{"kind":"backup","app":7,"extra":1}'));
  assert.equal(wrong.code, 'request_invalid');
  assert.deepEqual(wrong.errors?.map(({ in: where, path }) => `${where} ${path}`).sort(), ['body ', 'body app']);
  const params = await problemOf(await post('{"kind":"backup","params":{"nonsense":1}}'));
  assert.equal(params.code, 'usage');
  assert.equal((await api.ask('/readyz', { who: '' })).status, 200);
});

test('a page of the API works without scripts and without anything from elsewhere', async () => {
  const page = await (await api.ask('/api/v1/docs', { who: '' })).text();
  assert.doesNotMatch(page, /<script|style=|https?:\/\/(?!holdfast)/i);
  for (const { id } of api.app.api.endpoints) assert.ok(page.includes(`id="${id}"`), id);
});
