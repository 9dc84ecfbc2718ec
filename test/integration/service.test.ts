/** The service as a process: runs over the API, a storage that dies and comes back, mail about both, kill -9, reload, a graceful end. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse, stringify } from 'yaml';
import { Mailbox } from '../../demo/mailbox.ts';
import { raise } from '../../src/catalog/alerts.ts';
import { openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun, finishRun } from '../../src/catalog/claim.ts';
import { observations } from '../../src/catalog/observations.ts';
import { createRun } from '../../src/catalog/runs.ts';
import type { RunbookReport } from '../../src/operations/runbook.ts';
import { freePort } from '../../src/postgres/free-port.ts';
import { type Run, type Service, startService, waitForRun } from '../support/service.ts';
import { flipBit, packFiles } from '../support/spoil.ts';
import { until } from '../support/until.ts';
import { type BackupApp, backupApp } from './fixtures/backup-app.ts';

test('a storage dies, a person is told by mail, it comes back and is healed, and the alert resolves', async () => {
  await using mailbox = await Mailbox.open(0);
  await using app = await backupApp();
  await writeFile(join(app.media, 'file'), 'content');
  const port = await freePort();
  const token = await configure(app.configFile, app, { port, mail: mailbox.port });
  await using service = await startService(app.configFile, { port, token });

  const made = await service.run('backup', 'clinic', { label: 'by the service' });
  assert.equal(made.state, 'succeeded', JSON.stringify(made));
  const points = (await app.ok(['points', '--json'])).document<{ id: string; label: string; bytes: number }[]>();
  assert.deepEqual(
    points.map(({ id, label, bytes }) => [id, label, bytes]),
    [[made.outcome?.point, 'by the service', made.outcome?.bytes]],
  );

  await rename(app.dir.join('b'), app.dir.join('b-is-gone'));
  await writeFile(app.dir.join('b'), 'what is here now is no directory, and healing cannot make one');
  const partial = await service.run('backup', 'clinic');
  assert.equal(partial.state, 'partial');
  const told = await mailbox.arrived(/^Subject:.*(b|clinic)/im);
  assert.match(told, /^To: oncall@clinic\.example/m);
  const [, alert] = /^Message-ID: <alert\.(\w+)@/im.exec(told) ?? [];
  const taken = await service.call('POST', `/alerts/${alert}/acknowledge`, { note: 'on my way' });
  assert.deepEqual([taken.status, taken.body.state], [200, 'ACKNOWLEDGED']);
  assert.match(await mailbox.arrived(/^X-Holdfast-Event: acknowledge/im), /^Acknowledged by: .*on my way/m);
  await rm(app.dir.join('b'));
  await rename(app.dir.join('b-is-gone'), app.dir.join('b'));
  assert.equal((await service.run('sync', '*')).state, 'succeeded');
  assert.equal((await service.run('backup', 'clinic')).state, 'succeeded');
  const over = await mailbox.arrived(/^X-Holdfast-Event: resolve/im);
  assert.match(over, /gone by itself after/i);
  await healsItself(app, service, mailbox);

  const pressed = await service.call('POST', '/channels/mail/test');
  assert.deepEqual([pressed.status, pressed.body.state], [200, 'sent'], JSON.stringify(pressed.body));
  assert.equal((await service.call('POST', `/deliveries/${pressed.body.id}/resend`)).status, 202);
  await until(() => mailbox.mails.filter((mail) => /^X-Holdfast-Event: test/im.test(mail)).length === 2);

  const settings = parse(await readFile(app.configFile, 'utf8'));
  settings.apps.clinic.schedules = [{ name: 'nightly', run: 'check', every: 'daily' }];
  await writeFile(app.configFile, stringify(settings));
  service.child.kill('SIGHUP');
  await until(async () => {
    const { body } = await service.call<{ items: { name: string }[] }>('GET', '/schedules');
    return body.items.some(({ name }) => name === 'nightly');
  });
  await writeFile(app.configFile, `${await readFile(app.configFile, 'utf8')}\nnonsense: true\n`);
  service.child.kill('SIGHUP');
  for (let tries = 0; !/does not hold/.test(service.output()); tries++) {
    assert.ok(tries < 4000, service.output());
    await sleep(50);
  }
  assert.equal((await service.call('GET', '/runs')).status, 200);
  assert.equal(await service.stop(), 0);
  await app.assertWhole();
  for (const line of service
    .output()
    .split('\n')
    .filter((each) => each.startsWith('{')))
    JSON.parse(line);
});

test('kill -9 in the middle of a backup: the next start carries it out, once', async () => {
  await using app = await backupApp({ local: ['a'] });
  for (let i = 0; i < 40; i++) await writeFile(join(app.media, `file ${i}`), Buffer.alloc(1024 * 1024, i));
  const port = await freePort();
  const token = await configure(app.configFile, app, { port });
  const first = await startService(app.configFile, { port, token });
  const { body } = await first.call<{ run: Run }>('POST', '/runs', { kind: 'backup', app: 'clinic', params: {} });
  while ((await first.call<Run>('GET', `/runs/${body.run.id}`)).body.state !== 'running') await sleep(20);
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  await using second = await startService(app.configFile, { port, token });
  const run = await waitForRun(second.call, body.run.id);
  assert.equal(run.state, 'succeeded', JSON.stringify(run));
  assert.equal(run.attempt, 2);
  assert.equal((await app.ok(['points', '--json'])).document<object[]>().length, 1);
  assert.equal(await second.stop(), 0);
  await app.assertWhole();
});

test('nothing is removed while an alert freezes retention; a runbook asks people through the service', async () => {
  await using app = await backupApp({ local: ['a'], app: { retention: { last: 1 } } });
  await writeFile(join(app.media, 'file'), 'as it was');
  for (let points = 0; points < 2; points++) await app.backUp();
  const points = async () => (await app.ok(['points', '--json'])).document<object[]>().length;
  const port = await freePort();
  const token = await configure(app.configFile, app, { port });
  await using service = await startService(app.configFile, { port, token });

  await using catalog = await openCatalog({ path: app.dir.join('catalog.sqlite') });
  const { alert } = await raise(
    catalog.db,
    {
      ...{ rule: 'mass_change', cause: 'mass_change:clinic', severity: 'CRITICAL', app: 'clinic', evidence: 'a run' },
      ...{ title: 'Most files are gone', message: 'Look at once.', freezesRetention: true },
    },
    Date.now(),
  );
  const frozen = await service.run('prune', '*');
  assert.equal(frozen.state, 'failed');
  assert.equal(frozen.error?.code, 'retention_frozen');
  assert.equal(await points(), 2);
  const answered = await service.call('POST', `/alerts/${alert.id}/resolve`, { note: 'we moved them' });
  assert.equal(answered.status, 200);
  assert.equal((await service.run('prune', '*')).state, 'succeeded');
  assert.equal(await points(), 1);

  await writeFile(join(app.media, 'file'), 'broken');
  const asked = await service.call<{ run: Run }>('POST', '/runs', { kind: 'runbook', app: 'clinic', params: {} });
  const { id } = asked.body.run;
  for (const input of [
    { kind: 'note', text: 'the front desk knows' },
    { kind: 'confirm', step: '2', text: 'stopped by hand' },
    { kind: 'confirm', step: '5' },
  ])
    assert.equal((await service.call('POST', `/runs/${id}/inputs`, input)).status, 201);
  const run = await waitForRun(service.call, id);
  assert.equal(run.state, 'succeeded', JSON.stringify(run));
  const report = run.outcome as unknown as RunbookReport;
  assert.ok(report.notes.some(({ text }) => text === 'the front desk knows'));
  assert.ok(report.notes.some(({ text }) => text === 'stopped by hand'));
  assert.match(report.steps[1]?.by ?? '', /test/);
  assert.equal(await readFile(join(app.media, 'file'), 'utf8'), 'as it was');
  for (const what of ['status:clinic', 'points', 'copy'])
    for (let tries = 0; !(await observations(catalog.db)).has(what); tries++) {
      assert.ok(tries < 3000, `${what} was never looked at\n${service.output()}`);
      await sleep(100);
    }
  const complaints = service.output().match(/.*"level":"(warn|error)".*/g) ?? [];
  assert.deepEqual(
    complaints.filter((line) => !line.includes('A run failed.')),
    [],
  );
});

/** Damage is found by the look at the storage that comes with time, told, healed without being asked for, and over. */
async function healsItself(app: BackupApp, service: Service, mailbox: Mailbox): Promise<void> {
  await using catalog = await openCatalog({ path: app.dir.join('catalog.sqlite') });
  // as if a machine elsewhere were pruning: healing waits for it, so that there is something to be told
  const elsewhere = { labels: { site: 'elsewhere' }, kind: 'prune', app: '*', trigger: 'api', exclusive: 'repository' };
  await createRun(catalog.db, elsewhere, Date.now());
  const pruning = await claimRun(catalog, { id: 'elsewhere', labels: elsewhere.labels }, Date.now(), 3_600_000);
  await flipBit((await packFiles(app.dir.join('b')))[0]!);

  const schedules = await service.call<{ items: { id: string; name: string }[] }>('GET', '/schedules');
  const sample = schedules.body.items.find(({ name }) => name === 'verify-b');
  const asked = await service.call<{ run: Run }>('POST', `/schedules/${sample?.id}/run`);
  const looked = await waitForRun(service.call, asked.body.run.id);
  assert.deepEqual([looked.state, looked.error?.code], ['failed', 'data_damaged'], JSON.stringify(looked));
  await mailbox.arrived(mailOf('fire', 'What is stored is damaged'));
  await finishRun(catalog.db, pruning!, { state: 'succeeded' }, Date.now());

  const { body } = await service.call<{ items: Run[] }>('GET', '/runs?kind=sync');
  const healing = body.items.find(({ trigger }) => trigger === 'healing');
  assert.match(healing?.reason ?? '', new RegExp(looked.id));
  assert.equal((await waitForRun(service.call, healing!.id)).state, 'succeeded');
  const over = await mailbox.arrived(mailOf('resolve', 'What is stored is damaged'));
  assert.match(over.replaceAll('=\r\n', ''), new RegExp(`sync of run ${healing?.id}`));
  await app.assertWhole('b');
}

function mailOf(event: string, title: string): RegExp {
  return new RegExp(`(?=[^]*^X-Holdfast-Event: ${event}\\b)(?=[^]*^Subject: .*${title})`, 'm');
}

interface Places {
  readonly port: number;
  /** The port of the mail server. */
  readonly mail?: number;
}

/** Adds the service to the configuration of the app; a token of an administrator. */
async function configure(
  file: string,
  app: { ok(args: readonly string[]): Promise<{ readonly stdout: string }> },
  { port, mail }: Places,
): Promise<string> {
  const alerts = {
    channels: {
      mail: {
        ...{ type: 'email', host: '127.0.0.1', port: mail, security: 'none' },
        ...{ from: 'holdfast@clinic.example', to: ['oncall@clinic.example'] },
      },
    },
    routes: [{ channels: ['mail'] }],
  };
  const more = [
    'catalog: { path: ./catalog.sqlite }',
    `server: { listen: "127.0.0.1:${port}" }`,
    'verification: { readEvery: 2h }', // so soon that each look reads everything
    ...(mail === undefined ? [] : [`alerts: ${JSON.stringify(alerts)}`]),
  ];
  await writeFile(file, `${await readFile(file, 'utf8')}\n${more.join('\n')}\n`);
  return (await app.ok(['token', 'create', 'test', '--role', 'administrator', '--quiet'])).stdout.trim();
}
