/** The command line through a server: the same output, the same exit statuses, and what makes no sense there is refused. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ApiServer, apiServer } from '../support/api.ts';
import { startFaultyProxy } from '../support/faulty-proxy.ts';
import { holdfastHere } from '../support/here.ts';
import { HOLDFAST, type HoldfastResult, holdfast } from '../support/holdfast.ts';
import { until } from '../support/until.ts';
import { type BackupApp, backupApp, fillMedia } from './fixtures/backup-app.ts';

let world: BackupApp;
let api: ApiServer;

before(async () => {
  // While the file "hold" is there, a backup waits for it to go.
  const beforeBackup = ['sh', '-c', 'while [ -e hold ]; do sleep 0.1; done'];
  world = await backupApp({ app: { hooks: { beforeBackup } } });
  await fillMedia(world.media);
  await world.backUp();
  api = await apiServer({ configFile: world.configFile, worker: true });
  await api.refreshPoints();
});

after(async () => {
  await api?.[Symbol.asyncDispose]();
  await world?.[Symbol.asyncDispose]();
});

const remote = (...args: string[]): Promise<HoldfastResult> =>
  holdfast([...args, '--server', api.url, '--token-file', api.tokenFile], { cwd: api.dir.path });

/** Without a process of its own for each. */
const remoteHere = (...args: string[]): Promise<HoldfastResult> =>
  holdfastHere([...args, '--server', api.url, '--token-file', api.tokenFile], { cwd: api.dir.path });

test('what runs there is told here as if it ran here: backup, check, sync, prune, pin, forget', async () => {
  await writeFile(join(world.media, 'new.txt'), 'new');
  const backup = await remote('backup', '--label', 'from afar', '--json');
  assert.equal(backup.code, 0, backup.stderr);
  const { sources } = backup.summary as unknown as { sources: { media: { files_new: number } } };
  assert.equal(sources.media.files_new, 1);
  assert.ok(
    backup.lines.some((line) => line.message_type === 'status' && line.state === 'done'),
    'steps are told',
  );
  await api.refreshPoints();
  const { id, label } = (await world.ok(['points', '--json'])).document<{ id: string; label: string }[]>().at(-1)!;
  assert.deepEqual([id, label], [backup.summary?.point, 'from afar']);

  const summaries = async (...words: string[]) => {
    const [there, here] = [await remote(...words, '--json'), await world.run([...words, '--json'])];
    assert.equal(there.code, here.code, `${words.join(' ')}: ${there.stderr}`);
    return [there.summary, here.summary];
  };
  for (const words of [['check'], ['sync'], ['prune']]) {
    const [there, here] = await summaries(...words);
    assert.deepEqual(there, here, words.join(' '));
  }
  assert.match((await remote('pin', 'latest')).stdout, new RegExp(`^${id.slice(0, 8)} is pinned now`));
  assert.deepEqual(...((await summaries('pin', 'latest')) as [unknown, unknown]));
  const refused = await remote('forget', 'latest');
  assert.deepEqual([refused.code, (await world.run(['forget', 'latest'])).code], [1, 1]);
  assert.match(refused.stderr, /pinned/);
  await remote('unpin', 'latest');
});

test('what looks prints the same, with and without --json', async () => {
  await api.refreshPoints();
  for (const words of [
    ['points'],
    ['points', '--source', 'media', '--since', '1d ago', '--json'],
    ['show', 'latest'],
    ['ls', '-l', '-R', 'latest', 'media/photos'],
    ['ls', 'latest', '--json'],
    ['cat', 'latest', 'media/run.sh'],
    ['find', '*.sh', '--quiet'],
    ['diff', 'latest', 'latest', '--json'],
    ['proofs', '--json'],
    ['proofs', 'ffffffff', '--json'],
    ['wal', 'status'],
    ['wal', 'events', '--json'],
    ['ls', 'latest', 'media/nothing', '--json'],
  ]) {
    const [there, here] = await Promise.all([remote(...words), world.run(words)]);
    const line = words.join(' ');
    assert.equal(there.stdout, here.stdout, line);
    assert.deepEqual([there.code, there.error], [here.code, here.error], `${line}: ${there.stderr}`);
  }
  const status = await remote('status', '--check', '--json');
  const local = await world.run(['status', '--check', '--json']);
  assert.equal(status.code, local.code);
  assert.equal(status.document<{ outcome: string }>().outcome, local.document<{ outcome: string }>().outcome);
  assert.equal((await remote('doctor')).code, (await world.run(['doctor'])).code);
});

test('a package comes from the server and goes back to it; so do the kit, the configuration and a check of a point', async () => {
  const out = await remote('export', 'package.tar', '--json');
  assert.equal(out.code, 0, out.stderr);
  const target = api.dir.join('restored');
  const back = await remote('import', 'package.tar', '--target', target, '--json');
  assert.equal(back.code, 0, back.stderr);
  assert.equal(back.summary?.app, 'clinic');
  assert.equal(await readFile(join(target, 'media', 'new.txt'), 'utf8'), 'new');
  await writeFile(api.dir.join('no-package'), Buffer.alloc(5_000, 1));
  const refused = await remote('import', 'no-package', '--target', api.dir.join('nowhere'), '--json');
  assert.deepEqual([refused.code, refused.error?.error], [4, 'package_refused']);
  const verified = await remote('verify', '--json');
  assert.deepEqual(verified.summary, (await world.run(['verify', '--json'])).summary);
  for (const words of [
    ['config', 'show'],
    ['config', 'show', '--json'],
  ])
    assert.equal((await remote(...words)).stdout, (await world.ok(words)).stdout, words.join(' '));
  assert.match((await remote('kit')).stdout, /RECOVERY KIT/);
  assert.equal((await remote('kit', '--with-password')).code, 2);
});

test('Ctrl-C asks the run to stop, and says so', async () => {
  const hold = world.dir.join('hold');
  await writeFile(hold, '');
  await using proxy = await startFaultyProxy({ upstream: api.url });
  const server = ['--server', proxy.endpoint, '--token-file', api.tokenFile];
  const child = spawn(HOLDFAST, ['backup', ...server], { stdio: 'pipe' });
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said += bytes.toString();
  });
  const running = async () => {
    const page = await (await api.ask('/api/v1/runs?kind=backup&limit=1')).json();
    return (page as { items: { id: string; state: string; cancelled_by: string | null }[] }).items[0]!;
  };
  while ((await running()).state !== 'running') await sleep(50);
  const { id } = await running();
  const follows = ({ method, path }: { method: string; path: string }) => method === 'GET' && path.includes(id);
  while (!proxy.requests.some(follows)) await sleep(50); // it knows which run is its own
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 130, said);
  assert.match(said, new RegExp(`the run ${id} was asked to stop`));
  await rm(hold);
  while ((await running()).state === 'running') await sleep(50);
  assert.deepEqual(await running().then(({ state, cancelled_by }) => [state, cancelled_by]), [
    'cancelled',
    'administrator',
  ]);
});

test('a run is started, followed, told and looked at there; so is what else the server keeps', async () => {
  const words = ['runs', 'start', 'backup', '--param', 'label=again', '--param', 'source=media', '--follow'];
  const started = await remoteHere(...words, '--json');
  assert.equal(started.code, 0, started.stderr);
  const { run } = started.summary as unknown as { run: { id: string; state: string; params: object; trigger: string } };
  assert.deepEqual([run.state, run.params, run.trigger], ['succeeded', { label: 'again', source: ['media'] }, 'api']);
  const asked = async (path: string) => (await api.ask(`/api/v1/${path}`)).json();
  for (const [command, path] of [
    [['runs', '--kind', 'backup', '--limit', '2'], 'runs?kind=backup&limit=2'],
    [['runs', 'show', run.id], `runs/${run.id}`],
    [['runs', 'steps', run.id], `runs/${run.id}/steps`],
    [['storages'], 'storages'],
    [['apps', 'status'], 'backup/system/system_status'],
  ] as const) {
    const told = (await remoteHere(...command, '--json')).document<Record<string, unknown>>();
    const known = (await asked(path)) as Record<string, unknown>;
    assert.deepEqual(Object.keys(told), Object.keys(known), command.join(' '));
    if (command[0] === 'runs') assert.deepEqual(told, known, command.join(' '));
  }
  const log = (await remoteHere('runs', 'log', run.id, '--follow', '--json')).lines;
  const { items } = (await asked(`runs/${run.id}/log?limit=500`)) as { items: { message: string }[] };
  assert.deepEqual(
    log.map(({ message }) => message),
    items.map(({ message }) => message),
  );
  const failed = await remoteHere('runs', 'start', 'forget', '--param', 'point=0000', '--follow', '--json');
  assert.deepEqual([failed.code, failed.error?.error], [1, 'point_unknown'], 'as the command would have ended');
  const archive = await remoteHere('archive', 'latest', 'media/photos', '--output', 'photos.tar', '--json');
  assert.equal(archive.code, 0, archive.stderr);
  assert.equal((await readFile(api.dir.join('photos.tar'))).length, archive.summary?.bytes);
});

test('Ctrl-C while the answer is under way that names the run stops that run', async () => {
  const hold = world.dir.join('hold');
  await writeFile(hold, '');
  await using proxy = await startFaultyProxy({ upstream: api.url });
  proxy.inject({ method: 'POST', path: /\/runs$/, fault: { kind: 'delay', ms: 1_000 } });
  const child = spawn(HOLDFAST, ['backup', '--server', proxy.endpoint, '--token-file', api.tokenFile], {
    stdio: 'pipe',
  });
  const said = text(child.stderr);
  await until(() => proxy.requests.some(({ method }) => method === 'POST'));
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number];
  const [, id] = /the run (\w+) was asked to stop/.exec(await said) ?? assert.fail(await said);
  assert.equal(code, 130);
  await rm(hold);
  await until(async () => {
    const { state } = (await (await api.ask(`/api/v1/runs/${id}`)).json()) as { state: string };
    return state === 'cancelled';
  });
});

test('what belongs to one machine is refused, and so is a token in the open, none, or a wrong one', async () => {
  for (const words of [['restore', 'latest', '--to', '/tmp/x'], ['wal', 'push', 'x'], ['init']]) {
    const { code, stderr } = await remote(...words);
    assert.equal(code, words[1] === 'push' ? code : 2, stderr);
    assert.match(stderr, /works on the machine it is run on/);
  }
  assert.equal((await remote('version')).code, 0);
  const asks = (...args: string[]) => holdfast(['points', ...args], { cwd: api.dir.path });
  assert.match((await asks('--server', api.url)).stderr, /--token-file/);
  assert.match((await asks('--server', 'http://backup.example', '--token-file', api.tokenFile)).stderr, /readable/);
  await writeFile(api.dir.join('wrong'), 'hf_test_nobody\n');
  const wrong = await asks('--server', api.url, '--token-file', api.dir.join('wrong'), '--json');
  assert.deepEqual([wrong.code, wrong.error?.error], [1, 'unauthenticated']);
  const gone = await asks('--server', 'http://127.0.0.1:1', '--token-file', api.tokenFile, '--json');
  assert.deepEqual([gone.code, gone.error?.error], [1, 'server_unreachable']);
});
