/** Channels against real receivers on loopback: the exact bytes they get, and what becomes of receivers that misbehave. */
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';
import { isPublic } from '../../src/alerts/channels/address.ts';
import { type ChannelWorld, openChannel } from '../../src/alerts/channels.ts';
import type { Notice } from '../../src/alerts/notice.ts';
import { asFailure } from '../../src/base/failure.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import type { ChannelSettings } from '../../src/config/alert-settings.ts';
import { type Receiver, startReceiver } from '../support/receiver.ts';
import { run } from '../support/run.ts';
import { tempDir } from '../support/temp.ts';

const clock = manualClock(Date.UTC(2026, 10, 21, 3));
const world: ChannelWorld = { clock, signal: new AbortController().signal, source: 'backup.clinic.example' };
const ID = '01jd6v0000000000000000000d';
const ALERT = '01jd6v0000000000000000000a';

const fire: Notice = {
  event: 'fire',
  at: '2026-11-21T03:00:00.000Z',
  alert: {
    ...{ id: ALERT, rule: 'backup_failure', severity: 'ERROR', state: 'ACTIVE', app: 'clinic', storage: null },
    ...{ run: null, title: 'The backup failed', message: 'No space <left> & "gone".', details: { in_a_row: 1 } },
    ...{ count: 1, first_at: '2026-11-21T02:59:00.000Z', last_at: '2026-11-21T02:59:00.000Z' },
    ...{ acknowledged_by: null, acknowledge_note: null, resolved_by: null, resolved_at: null, resolve_note: null },
    freezes_retention: false,
  },
};
const resolve: Notice = {
  event: 'resolve',
  at: '2026-11-21T05:00:00.000Z',
  alert: {
    ...fire.alert!,
    ...{ state: 'RESOLVED', resolved_at: '2026-11-21T05:00:00.000Z', resolve_note: 'Gone by itself after 2 h.' },
  },
};

let receiver: Receiver;
before(async () => {
  receiver = await startReceiver();
});
after(() => receiver?.[Symbol.asyncDispose]());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer = (response) => response.end('ok');
});

const KEY = Buffer.alloc(32, 7);
const common = { allowPrivate: true, timeout: 30_000 };
const hook = (more: object = {}) =>
  ({
    ...{ type: 'webhook', url: `${receiver.url}/hook/s3cr3t`, secret: `whsec_${KEY.toString('base64')}` },
    ...common,
    ...more,
  }) as ChannelSettings;

const send = (settings: ChannelSettings, content: Notice = fire, around = world) =>
  openChannel(settings)({ id: ID, content }, around);

async function failed(settings: ChannelSettings, around = world) {
  const failure = await send(settings, fire, around).then(
    () => assert.fail('it was taken'),
    (error: unknown) => asFailure(error),
  );
  assert.ok(!failure.message.includes('s3cr3t'), failure.message);
  return `${failure.code}: ${failure.message.replaceAll(/127\.0\.0\.1:\d+/g, 'HOST')}`;
}

test('a webhook is signed over its id, its time and its very bytes, as Standard Webhooks asks', async () => {
  assert.equal(await send(hook()), '200 ok');
  const [got] = receiver.received;
  const body = JSON.stringify({ type: 'alert.raised', timestamp: fire.at, data: fire.alert });
  assert.equal(got!.body, body);
  const stamp = String(clock.now() / 1000);
  assert.deepEqual(
    ['webhook-id', 'webhook-timestamp', 'content-type', 'content-length'].map((name) => got!.headers[name]),
    [ID, stamp, 'application/json', String(Buffer.byteLength(body))],
  );
  const mac = createHmac('sha256', KEY).update(`${ID}.${stamp}.${body}`).digest('base64');
  assert.equal(got!.headers['webhook-signature'], `v1,${mac}`);
  assert.equal(got!.path, '/hook/s3cr3t');
});

test('Slack gets blocks in which nothing is markup that was none', async () => {
  await send({ type: 'slack', url: `${receiver.url}/services/s3cr3t`, ...common });
  const [got] = receiver.received;
  const text = '[ERROR] clinic: The backup failed';
  const fields = [
    ...['*Severity*\nERROR', '*State*\nACTIVE', '*App*\nclinic', '*Rule*\nbackup_failure'],
    ...['*First seen*\n2026-11-21T02:59:00.000Z', `*Alert*\n${ALERT}`],
  ].map((field) => ({ type: 'mrkdwn', text: field }));
  const blocks = [
    { type: 'header', text: { type: 'plain_text', text, emoji: false } },
    { type: 'section', text: { type: 'mrkdwn', text: 'No space &lt;left&gt; &amp; "gone".' } },
    { type: 'section', fields },
  ];
  assert.equal(got!.body, JSON.stringify({ text, blocks }));
  assert.deepEqual(
    [got!.method, got!.path, got!.headers['content-type']],
    ['POST', '/services/s3cr3t', 'application/json'],
  );
});

test('PagerDuty gets the same key from the first word to the last', async () => {
  receiver.answer = (response) => response.writeHead(202).end('{"status":"success"}');
  const pager: ChannelSettings = {
    type: 'pagerduty',
    routingKey: 's3cr3t-key',
    url: `${receiver.url}/v2/enqueue`,
    ...common,
  };
  const acknowledge: Notice = { ...fire, event: 'acknowledge' };
  for (const notice of [fire, acknowledge, resolve, { event: 'test', at: fire.at } as Notice])
    await send(pager, notice);
  const about = (action: string, id: string) => ({
    ...{ routing_key: 's3cr3t-key', event_action: action, dedup_key: `holdfast-${id}`, client: 'Holdfast' },
  });
  const source = 'backup.clinic.example';
  const ofAlert = {
    ...{ summary: 'clinic: The backup failed', source, severity: 'error', timestamp: fire.at, group: 'clinic' },
    ...{ class: 'backup_failure', custom_details: { message: 'No space <left> & "gone".', in_a_row: 1 } },
  };
  const ofTest = {
    ...{ summary: 'Test of this channel: it works', source, severity: 'info', timestamp: fire.at },
    custom_details: { message: 'Somebody pressed the test button. Nothing is wrong.' },
  };
  assert.deepEqual(
    receiver.received.map(({ body }) => body),
    [
      { ...about('trigger', ALERT), payload: ofAlert },
      ...[about('acknowledge', ALERT), about('resolve', ALERT)],
      { ...about('trigger', ID), payload: ofTest },
      about('resolve', ID),
    ].map((event) => JSON.stringify(event)),
  );
  for (const { method, path, headers } of receiver.received)
    assert.deepEqual([method, path, headers['content-type']], ['POST', '/v2/enqueue', 'application/json']);
});

test('SMS are a form for each number, under the account; a number that is refused is told', async () => {
  receiver.answer = (response, { body }) => response.writeHead(body.includes('To=%2B2') ? 400 : 201).end('{}');
  const sms: ChannelSettings = {
    ...{ type: 'sms', url: `${receiver.url}/Messages.json`, username: 'AC1', password: 's3cr3t', from: '+100' },
    ...{ to: ['+1', '+2'], ...common },
  };
  assert.match(await send(sms), /^taken for 1 of 2 numbers\. 127\.0\.0\.1:\d+ answered 400 \{\}\.$/);
  const [first] = receiver.received.toSorted((a, b) => (a.body < b.body ? -1 : 1));
  assert.equal(first!.headers.authorization, `Basic ${Buffer.from('AC1:s3cr3t').toString('base64')}`);
  assert.equal(first!.headers['content-type'], 'application/x-www-form-urlencoded');
  assert.equal(
    first!.body,
    'From=%2B100&To=%2B1&Body=%5BERROR%5D+clinic%3A+The+backup+failed.+No+space+%3Cleft%3E+%26+%22gone%22.',
  );
});

test('a check that counts runs is told of beginning, success and failure by its path', async () => {
  const check: ChannelSettings = {
    type: 'healthchecks',
    url: `${receiver.url}/s3cr3t/`,
    app: 'clinic',
    run: 'backup',
    ...common,
  };
  for (const ping of ['start', 'success', 'fail'] as const)
    await openChannel(check)({ id: ID, content: { event: 'ping', ping, run: 'r', text: `run r ${ping}` } }, world);
  assert.deepEqual(
    receiver.received.map(({ method, path, body }) => `${method} ${path} ${body}`),
    ['POST /s3cr3t/start run r start', 'POST /s3cr3t run r success', 'POST /s3cr3t/fail run r fail'],
  );
});

test('receivers that answer with errors are tried again or not, by what they say, and never quote the secret', async () => {
  const answers: [number, string][] = [];
  for (const status of [400, 401, 404, 410, 408, 429, 500, 503]) {
    receiver.answer = (response) => response.writeHead(status).end('bad /hook/s3cr3t'.repeat(10));
    answers.push([
      status,
      (await failed(hook({ url: `${receiver.url}/hook/s3cr3t` })).catch(() => 'secret')).split(':')[0]!,
    ]);
  }
  assert.deepEqual(
    answers.map(([status, code]) => `${status} ${code}`),
    [
      ...['400', '401', '404', '410'].map((status) => `${status} channel_refused`),
      ...['408', '429', '500', '503'].map((status) => `${status} channel_failed`),
    ],
  );
});

test('a redirect is not followed, wherever it leads', async () => {
  receiver.answer = (response) => response.writeHead(307, { location: 'http://169.254.169.254/latest/' }).end();
  assert.equal(await failed(hook()), 'channel_refused: HOST answered 307, a redirect; redirects are not followed.');
  assert.equal(receiver.received.length, 1);
});

test('a receiver that hangs, cuts the connection or talks without end is left in time', async () => {
  receiver.answer = () => {};
  assert.match(await failed(hook({ timeout: 100 })), /^channel_failed: HOST did not answer within 0\.1 s\.$/);
  receiver.answer = (response) => response.write('begins and does not end');
  assert.match(await failed(hook({ timeout: 100 })), /^channel_failed: HOST did not answer within 0\.1 s\.$/);
  receiver.answer = (response) => response.destroy();
  assert.equal(await failed(hook()), 'channel_failed: HOST cut the connection.');
  receiver.answer = (response) => {
    const more = () => response.write('x'.repeat(65_536), (error) => error ?? setImmediate(more));
    more();
  };
  assert.equal((await send(hook())).length, 4 + 200);
  await using closed = await startReceiver();
  await closed[Symbol.asyncDispose]();
  assert.equal(await failed(hook({ url: closed.url })), 'channel_failed: HOST cannot be reached: ECONNREFUSED.');
});

test('addresses that are not of the Internet are refused, also behind a name, and nothing is sent', async () => {
  const guarded = { allowPrivate: false, url: receiver.url };
  assert.match(await failed(hook(guarded)), /^channel_refused: 127\.0\.0\.1 leads to 127\.0\.0\.1/);
  const { port } = new URL(receiver.url);
  const around = (...addresses: string[]): ChannelWorld => ({
    ...world,
    lookup: async () => addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
  });
  for (const address of ['127.0.0.1', '10.1.2.3', '169.254.169.254', '::1', '::ffff:7f00:1', 'fd00:ec2::254'])
    assert.match(
      await failed(hook({ ...guarded, url: `http://good.example:${port}/` }), around('93.184.216.34', address)),
      /^channel_refused: good\.example leads to /,
    );
  assert.equal(receiver.received.length, 0);
  // the connection goes to the address that was looked at, whatever the name says a moment later
  assert.equal(await send(hook({ url: `http://good.example:${port}/` }), fire, around('127.0.0.1')), '200 ok');
});

test('what is public and what is not', () => {
  const hidden = [
    '0.0.0.0',
    '100.64.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '224.0.0.1',
    '255.255.255.255',
    '::',
    'fe80::1',
  ];
  hidden.push(
    'fe80::1%eth0',
    '64:ff9b::a00:1',
    '2002:7f00:1::',
    '::ffff:10.0.0.1',
    '::127.0.0.1',
    'ff02::1',
    'not an address',
  );
  assert.deepEqual(hidden.filter(isPublic), []);
  assert.deepEqual(['1.1.1.1', '172.32.0.1', '2606:4700::1111'].filter(isPublic).length, 3);
});

interface Mailbox extends AsyncDisposable {
  readonly port: number;
  readonly mails: { readonly text: string; readonly secure: boolean; readonly to: string[]; readonly user: string }[];
}

async function startMailbox(options: SMTPServerOptions): Promise<Mailbox> {
  const mails: Mailbox['mails'] = [];
  const server = new SMTPServer({
    ...{ disableReverseLookup: true, logger: false, closeTimeout: 100 },
    onAuth: ({ username, password }, _session, done) =>
      password === 's3cr3t' ? done(null, { user: username }) : done(new Error(`no: ${password}`)),
    onData: (stream, session, done) => {
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.on('end', () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ text: Buffer.concat(parts).toString(), secure: session.secure, to, user: String(session.user) });
        done();
      });
    },
    ...options,
  });
  server.on('error', () => {});
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    mails,
    port: (server.server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise((done) => server.close(() => done())),
  };
}

const mailTo = (port: number, more: object = {}) =>
  ({
    ...{ type: 'email', host: '127.0.0.1', port, security: 'none', timeout: 30_000 },
    ...{ from: 'Holdfast <backup@clinic.example>', to: ['ann@clinic.example', 'ben@clinic.example'] },
    ...more,
  }) as ChannelSettings;

test('mails of one alert are one thread, in text and HTML, the same at every attempt', async () => {
  await using box = await startMailbox({ authOptional: true, hideSTARTTLS: true });
  for (const notice of [fire, fire, resolve]) await send(mailTo(box.port), notice);
  const [first, again, last] = box.mails.map(({ text }) => text);
  const header = (mail: string, name: string) => new RegExp(`^${name}: (.*)$`, 'im').exec(mail)?.[1]?.trim();
  assert.equal(first, again);
  const whole = await readFile(new URL('fixtures/alert.eml', import.meta.url), 'utf8');
  assert.equal(first, whole.replaceAll('\n', '\r\n'));
  const root = `<alert.${ALERT}@clinic.example>`;
  assert.equal(header(first!, 'Message-ID'), root);
  assert.equal(header(first!, 'Date'), 'Sat, 21 Nov 2026 03:00:00 +0000');
  assert.equal(header(first!, 'Subject'), '[ERROR] clinic: The backup failed');
  assert.equal(header(first!, 'References'), undefined);
  assert.deepEqual([header(last!, 'In-Reply-To'), header(last!, 'References')], [root, root]);
  assert.equal(header(last!, 'Message-ID'), `<${ID}@clinic.example>`);
  assert.equal(header(last!, 'Subject'), header(first!, 'Subject'));
  assert.match(
    first!,
    /Content-Type: text\/plain[\s\S]*No space <left> & "gone"\.[\s\S]*Content-Type: text\/html[\s\S]*No space &#60;left&#62; &#38;/,
  );
  assert.match(last!, /Gone by itself after 2 h\./);
  assert.deepEqual(box.mails[0]!.to, ['ann@clinic.example', 'ben@clinic.example']);
});

test('mail goes encrypted where that is asked for, and not at all where it cannot be', async () => {
  await using directory = await tempDir();
  const [key, cert] = [directory.join('key.pem'), directory.join('cert.pem')];
  const made = await run('openssl', [
    ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', cert],
  ]);
  assert.equal(made.code, 0, made.stderr);
  const tls = { key: await readFile(key), cert: await readFile(cert) };
  await using starttls = await startMailbox(tls);
  await using direct = await startMailbox({ ...tls, secure: true });
  await using plain = await startMailbox({ authOptional: true, disabledCommands: ['STARTTLS'] });
  const account = { username: 'u', password: 's3cr3t', ca: cert };
  await send(mailTo(starttls.port, { ...account, security: 'starttls' }));
  await send(mailTo(direct.port, { ...account, security: 'tls' }));
  for (const { mails } of [starttls, direct]) assert.deepEqual([mails[0]!.secure, mails[0]!.user], [true, 'u']);
  assert.match(await failed(mailTo(plain.port, { security: 'starttls' })), /^channel_refused: HOST: .*STARTTLS/);
  assert.equal(plain.mails.length, 0);
  const stranger = { username: 'u', password: 's3cr3t', security: 'tls' };
  assert.match(await failed(mailTo(direct.port, stranger)), /^channel_failed: HOST: .*self-signed/);
});

test('a mail server that refuses for good, for now, or hangs', async () => {
  const refusing = (responseCode: number) =>
    startMailbox({
      ...{ authOptional: true, hideSTARTTLS: true },
      onMailFrom: (_from, _session, done) => done(Object.assign(new Error('not you'), { responseCode })),
    });
  await using never = await refusing(550);
  await using later = await refusing(451);
  assert.match(await failed(mailTo(never.port)), /^channel_refused: HOST: .*550 not you/);
  assert.match(await failed(mailTo(later.port)), /^channel_failed: HOST: .*451 not you/);
  await using hanging = await startMailbox({
    ...{ authOptional: true, hideSTARTTLS: true },
    onConnect: () => {},
  });
  assert.match(await failed(mailTo(hanging.port, { timeout: 100 })), /^channel_failed: HOST/);
  await using wrong = await startMailbox({ hideSTARTTLS: true, allowInsecureAuth: true });
  const account = { username: 'u', password: 'hunter22' };
  const told = await failed(mailTo(wrong.port, account));
  assert.match(told, /^channel_refused: HOST: /);
  assert.ok(!told.includes('hunter22'), told);
});
