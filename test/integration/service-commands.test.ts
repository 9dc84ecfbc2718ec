/** Commands about the service, on its own machine: the same answers as the API's, from the catalog, told in the audit log as who they are. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { raise } from '../../src/catalog/alerts.ts';
import { createApproval } from '../../src/catalog/approvals.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { holdfastHere } from '../support/here.ts';
import { type HoldfastResult, writeConfig } from '../support/holdfast.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

let dir: TempDir;
let config: string;
/** Open beside the commands, as that of a service that runs. */
let catalog: Catalog;

before(async () => {
  dir = await tempDir({ prefix: 'hfservice' });
  const media = { type: 'files', path: dir.path };
  config = await writeConfig(dir.path, {
    ...{ repository: { password: 'p' }, storages: { a: { type: 'local', path: dir.join('a') } } },
    catalog: { path: dir.join('catalog.sqlite') },
    server: { secondPerson: ['prune'] },
    alerts: { channels: { team: { type: 'slack', url: 'http://127.0.0.1:1/', allowPrivate: true } } },
    apps: { clinic: { sources: { media } }, shop: { sources: { media } } },
  });
  catalog = await openCatalog({ path: dir.join('catalog.sqlite') });
});
after(async () => {
  await catalog?.[Symbol.asyncDispose]();
  await dir?.remove();
});

const say = (...words: string[]): Promise<HoldfastResult> => holdfastHere([...words, '--config', config]);

/** The document, or the summary, of a command that ends with 0. */
async function answer<T>(...words: string[]): Promise<T> {
  const done = await say(...words, '--json');
  assert.equal(done.code, 0, `${words.join(' ')}: ${done.stderr}`);
  return (done.summary ?? done.document()) as T;
}

/** The code of the failure, and the exit status. */
async function refusal(...words: string[]): Promise<[unknown, number | null]> {
  const { code, error } = await say(...words, '--json');
  return [error?.error, code];
}

interface Item {
  readonly id: string;
  readonly state: string;
}
interface Items {
  readonly items: readonly (Item & Readonly<Record<string, unknown>>)[];
  readonly next: string | null;
}

test('runs are asked for, listed, shown, cancelled and asked for again', async () => {
  const { run } = await answer<{ run: Item }>('runs', 'start', 'backup', '--app', 'clinic', '--param', 'source=media');
  await answer('runs', 'start', 'check', '--param', 'read-data=5%', '--reason', 'monthly');
  const { items } = await answer<Items>('runs', '--kind', 'backup');
  assert.deepEqual(
    items.map(({ id, params, trigger, state }) => [id, params, trigger, state]),
    [[run.id, { source: ['media'] }, 'cli', 'queued']],
  );
  const page = await answer<Items>('runs', '--limit', '1');
  const rest = await answer<Items>('runs', '--cursor', page.next!);
  assert.deepEqual(
    [...page.items, ...rest.items].map(({ kind }) => kind),
    ['check', 'backup'],
  );
  assert.match((await say('runs')).stdout, /^ID +KIND +APP .*\n\S+ +check +\* +queued .* monthly\n/);
  assert.match((await say('runs', 'show', run.id)).stdout, /backup of clinic.*params +source=media/s);
  assert.equal((await answer<Item>('runs', 'cancel', run.id)).state, 'cancelled');
  assert.deepEqual(await refusal('runs', 'cancel', run.id), ['run_ended', 1]);
  assert.deepEqual(await answer('runs', 'log', run.id), { items: [], next: null });
  assert.deepEqual(await answer('runs', 'steps', run.id), { items: [] });
  assert.equal((await say('runs', 'follow', run.id)).code, 130, 'as the command that was interrupted');
  const again = await answer<{ run: Item & { params: object } }>('runs', 'retry', run.id);
  assert.notEqual(again.run.id, run.id);
  assert.deepEqual(again.run.params, { source: ['media'] });
  await answer('runs', 'say', again.run.id, 'note', '--text', 'soon');
  const { items: said } = await answer<Items>('runs', 'inputs', again.run.id);
  assert.deepEqual(
    said.map(({ kind, text }) => [kind, text]),
    [['note', 'soon']],
  );
});

test('what does not fit says which word it is, with the status of wrong usage', async () => {
  assert.deepEqual(await refusal('runs', 'start', 'bakcup', '--app', 'clinic'), ['usage', 2]);
  assert.deepEqual(await refusal('runs', 'start', 'backup', '--app', 'clinic', '--param', 'nope=1'), ['usage', 2]);
  assert.deepEqual(await refusal('runs', 'start', 'backup'), ['app_unknown', 2]);
  assert.deepEqual(await refusal('runs', 'show', 'x'), ['request_invalid', 2]);
  assert.deepEqual(await refusal('runs', 'show', '0'.repeat(26)), ['run_unknown', 1]);
  assert.match((await say('runs', '--state', 'lost')).stderr, /--state: "lost" does not fit.*waiting, queued/s);
  assert.match((await say('runs', 'shwo')).stderr, /Did you mean "holdfast runs show"/);
  assert.equal((await say('runs', '--help')).code, 0);
});

test('an alert is looked at, taken, muted and resolved; a mute stands for alerts to come', async () => {
  const found = {
    rule: 'storage_down',
    cause: 'storage a',
    severity: 'ERROR',
    title: 'a is away',
    message: 'No answer.',
  };
  await raise(catalog.db, { ...found, storage: 'a', details: { since: 1 } } as never, systemClock.now());
  const { items } = await answer<Items>('alerts', '--state', 'ACTIVE', '--severity', 'ERROR');
  const id = items[0]!.id;
  assert.match((await say('alerts')).stdout, /ERROR +ACTIVE .* a is away\n$/);
  assert.match((await say('alerts', 'show', id)).stdout, /^a is away\n.*says +No answer\./s);
  const taken = await answer<{ acknowledged: { note: string; by: string } }>(
    'alerts',
    'acknowledge',
    id,
    '--note',
    'mine',
  );
  assert.equal(taken.acknowledged.note, 'mine');
  assert.match(taken.acknowledged.by, /^cli:.+@/);
  assert.deepEqual(await refusal('alerts', 'mute', id), ['usage', 2]);
  assert.ok((await answer<{ muted_until: string }>('alerts', 'mute', id, '--for', '2h')).muted_until);
  assert.equal((await answer<{ muted_until: null }>('alerts', 'unmute', id)).muted_until, null);
  assert.match((await say('alerts', 'resolve', id)).stdout, /^Resolved: a is away/);
  assert.deepEqual(await refusal('alerts', 'resolve', id), ['alert_state', 1]);

  const mute = await answer<Item>('mutes', 'add', '--storage', 'a', '--for', '1h', '--reason', 'moved');
  assert.match((await say('mutes')).stdout, /storage=a +cli:\S+ +moved/);
  await answer('mutes', 'remove', mute.id);
  assert.deepEqual(await answer('mutes'), { items: [] });
});

test('a channel is tried, and its message sent again', async () => {
  assert.deepEqual(await answer('channels'), { items: [{ name: 'team', type: 'slack' }] });
  const tried = await say('channels', 'test', 'team', '--json');
  assert.deepEqual([tried.code, tried.summary?.state], [1, 'failed']);
  assert.deepEqual(await refusal('channels', 'test', 'pager'), ['channel_unknown', 1]);
  const { items } = await answer<Items>('deliveries', '--channel', 'team');
  assert.equal(items[0]?.id, tried.summary?.id);
  assert.match((await say('deliveries', 'resend', items[0]!.id)).stdout, /^team: pending/);
});

test('a schedule is made, found by its name, changed, run, disabled and removed', async () => {
  const made = ['--app', 'clinic', '--name', 'noon', '--cron', '0 12 * * *', '--timezone', 'Europe/Madrid'];
  const more = ['--blackout', 'mon,tue 08:00-10:00', '--jitter', '5m', '--label', 'site=north', '--catch-up', 'no'];
  const added = await answer<Item & Readonly<Record<string, unknown>>>(
    ...['schedules', 'add', 'backup', ...made, ...more, '--param', 'source=media'],
  );
  const { params, blackout, jitter_s, labels, catch_up, retries } = added;
  assert.deepEqual(
    [params, jitter_s, labels, catch_up, retries],
    [{ source: ['media'] }, 300, { site: 'north' }, false, 3],
  );
  assert.deepEqual(blackout, [{ from: '08:00', to: '10:00', days: ['mon', 'tue'] }]);
  assert.deepEqual(await refusal('schedules', 'add', 'backup', ...made), ['request_invalid', 2], 'the name is taken');
  assert.deepEqual(await refusal('schedules', 'add', 'prune', '--cron', '@daily', '--app', 'shop'), ['forbidden', 1]);
  const { items } = await answer<Items>('schedules', '--enabled', 'yes');
  assert.deepEqual(
    items.map(({ name }) => name),
    ['noon'],
  );
  assert.match((await say('schedules', 'show', 'noon')).stdout, /not during +mon,tue 08:00-10:00/);
  const change = (...words: string[]) =>
    answer<{ cron: string; jitter_s: number; time_limit_s: number | null }>('schedules', 'change', 'noon', ...words);
  assert.equal((await change('--time-limit', '2h')).time_limit_s, 7200);
  const changed = await change('--cron', '@hourly', '--no-time-limit');
  assert.deepEqual([changed.cron, changed.jitter_s, changed.time_limit_s], ['@hourly', 300, null]);
  const { run } = await answer<{ run: Item }>('schedules', 'run', 'noon');
  assert.deepEqual(
    (await answer<Items>('runs', '--schedule', 'noon')).items.map(({ id }) => id),
    [run.id],
  );
  assert.match((await say('schedules', 'disable', 'noon')).stdout, /^Disabled noon .* next never by itself/);
  assert.match((await say('schedules', 'enable', 'noon')).stdout, /^Enabled noon/);
  assert.deepEqual(await answer('schedules', 'run-due'), { message_type: 'summary', items: [] });
  await answer('schedules', 'remove', added.id);
  assert.deepEqual(await refusal('schedules', 'show', 'noon'), ['schedule_unknown', 1]);
});

test('what takes two people waits; whoever works on the machine is no second person, and may take back what they asked for', async () => {
  const { run, approval } = await answer<{ run: null; approval: string }>(
    'runs',
    'start',
    'prune',
    '--reason',
    'space',
  );
  assert.equal(run, null);
  assert.match((await say('approvals', '--state', 'pending')).stdout, /pending +prune +cli:\S+ .* space\n$/);
  assert.match((await say('approvals', 'show', approval)).stdout, /^prune of \S+, pending\n.*reason +space/s);
  for (const decision of ['approve', 'refuse'])
    assert.deepEqual(await refusal('approvals', decision, approval), ['approval_own', 1]);
  const requestedBy = 'somebody-else';
  const other = { action: 'prune', app: '*', params: {}, requestedBy, expiresAt: systemClock.now() + 60_000 };
  const { id } = await createApproval(catalog.db, other, systemClock.now());
  assert.deepEqual(await refusal('approvals', 'approve', id), ['approval_own', 1]);
  assert.match((await say('approvals', 'cancel', approval)).stdout, /^prune of \S+, cancelled\n/);
});

test('sandboxes are asked for and ended', async () => {
  const made = await answer<Item>('sandboxes', 'start', '--at', 'latest', '--for', '2h', '--app', 'clinic');
  assert.deepEqual(
    (await answer<Items>('sandboxes')).items.map(({ id }) => id),
    [made.id],
  );
  await answer('sandboxes', 'end', made.id);
  assert.match((await say('sandboxes', 'show', made.id)).stdout, /^sandbox of clinic, ended/);
});

test('accounts are shown, disabled and enabled', async () => {
  await writeFile(dir.join('password'), 'correct horse battery staple\n');
  for (const name of ['anna', 'ben'])
    await answer('user', 'add', name, '--role', 'administrator', '--new-password-file', dir.join('password'));
  assert.equal((await answer<{ user: { disabled: boolean } }>('user', 'disable', 'ben')).user.disabled, true);
  assert.match((await say('user', 'show', 'ben')).stdout, /^ben\n.*may +administrator \*.*disabled +yes/s);
  assert.deepEqual(await refusal('user', 'disable', 'anna'), ['last_administrator', 1]);
  assert.equal((await say('user', 'enable', 'ben')).stdout, 'ben may log in again.\n');
  assert.equal((await say('user', 'reset-totp', 'ben')).code, 0);
});

test('what the service knows of itself is told as tables and as the documents of the API', async () => {
  assert.deepEqual(
    (await answer<Items>('apps')).items.map(({ app }) => app),
    ['clinic', 'shop'],
  );
  assert.deepEqual(
    (await answer<Items>('storages')).items.map(({ name }) => name),
    ['a'],
  );
  for (const words of [['storages', 'growth'], ['workers'], ['measurements', 'backup_seconds']])
    assert.deepEqual((await answer<Items>(...words)).items, [], words.join(' '));
  assert.match((await say('health')).stdout, /^APP +SCORE +WHY\nclinic +\d+ /);
  assert.deepEqual(await answer('health', 'latest'), { latest: null });
  assert.equal((await say('health', 'check')).code, 1, 'there is a problem');
  assert.match((await say('health', 'latest')).stdout, /No worker takes runs.*Looked at/s);
  assert.match((await say('metrics')).stdout, /^# HELP holdfast_build_info/);
  assert.match((await say('events', '--type', 'run', '--limit', '1')).stdout, /^\d+ \S+Z run\.created clinic /);
  assert.deepEqual(await refusal('apps', 'status'), ['storage_missing', 10]);
});

test('the audit log has them under the name of whoever runs commands here', async () => {
  const entries = await answer<{ actor: string; action: string; address: unknown }[]>('audit', 'list');
  for (const action of ['createRun', 'cancelRun', 'acknowledgeAlert', 'createMute', 'testChannel']) {
    const entry = entries.find((each) => each.action === action);
    assert.match(entry?.actor ?? '', /^cli:.+@/, action);
    assert.equal(entry?.address, null);
  }
});
