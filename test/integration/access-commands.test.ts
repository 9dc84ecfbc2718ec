/** Accounts, tokens and the audit log from the command line; and what a browser is told over a real TLS connection. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { Agent, request } from 'node:https';
import { after, before, test } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { quiet } from '../../src/base/log.ts';
import { manualClock } from '../../src/base/testing/manual-clock.ts';
import { listen } from '../../src/service/listen.ts';
import { LiveConfiguration } from '../../src/service/live-configuration.ts';
import { accessServer, LONG } from '../support/access.ts';
import { holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { runOk } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';

let dir: TempDir;
let config: string;
before(async () => {
  dir = await tempDir({ prefix: 'hfaccess' });
  config = await writeConfig(dir.path, {
    ...{ version: 1, repository: { password: 'p' }, storages: { a: { type: 'local', path: dir.join('a') } } },
    apps: { clinic: { sources: { media: { type: 'files', path: dir.path } } } },
  });
  await writeFile(dir.join('password'), `${LONG}\n`);
  await writeFile(dir.join('short'), 'short\n');
});
after(() => dir?.remove());

const command = (...args: string[]) => holdfastOk(['--config', config, '--json', ...args]);
const refused = async (...args: string[]) => (await holdfast(['--config', config, '--json', ...args])).error?.error;

test('accounts, tokens and the audit log from the command line', async () => {
  const file = ['--new-password-file', dir.join('password')];
  const added = await command('user', 'add', 'Anna', '--role', 'administrator', ...file);
  assert.equal((added.summary as { user: { name: string } }).user.name, 'anna');
  assert.equal(await refused('user', 'add', 'ben', '--new-password-file', dir.join('short')), 'password_refused');
  await command('user', 'add', 'ben', '--role', 'viewer', '--app', 'clinic', ...file);
  const made = await command('token', 'create', 'ci', '--role', 'operator', '--user', 'ben', '--expires', '1d');
  const { token, id } = made.summary as { token: string; id: string };
  assert.match(token, /^hft_/);
  assert.equal(await refused('user', 'remove', 'anna'), 'last_administrator');
  await command('token', 'revoke', id);
  await command('user', 'remove', 'ben');
  const users = (await command('user', 'list')).document<{ name: string }[]>();
  assert.deepEqual(
    users.map(({ name }) => name),
    ['anna'],
  );
  const entries = (await command('audit', 'list')).document<{ actor: string; action: string }[]>();
  assert.deepEqual(
    entries.map(({ action }) => action),
    ['user.add', 'user.add', 'token.create', 'token.revoke', 'user.remove'],
  );
  assert.match(entries[0]!.actor, /^cli:.+@/);
  const alone = ['audit', 'verify', '--without-storages'];
  const { head } = (await command(...alone)).summary as { head: string };
  await command(...alone, '--head', head);
  const exported = (await holdfastOk(['--config', config, 'audit', 'export'])).stdout;
  assert.ok(!exported.includes(LONG) && !exported.includes(token));
  assert.equal(await refused('audit', 'verify', '--head', `5:${'0'.repeat(64)}`), 'audit_broken');
});

async function newCertificate(): Promise<Buffer> {
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const files = ['-keyout', dir.join('key.pem'), '-out', dir.join('cert.pem')];
  await runOk('openssl', ['req', '-x509', '-newkey', 'ed25519', '-nodes', '-days', '2', ...files, ...subject]);
  return readFile(dir.join('cert.pem'));
}

interface Heard {
  readonly headers: IncomingHttpHeaders;
  readonly status: number | undefined;
  /** Of the certificate. */
  readonly fingerprint: string;
}

/** One request over TLS, whose certificate must be `ca`. */
function ask(url: string, ca: Buffer, body?: object, agent: Agent | false = false): Promise<Heard> {
  const { promise, resolve, reject } = Promise.withResolvers<Heard>();
  const headers = { 'content-type': 'application/json' };
  request(
    url.replace('127.0.0.1', 'localhost'),
    { ca, servername: 'localhost', method: body === undefined ? 'GET' : 'POST', headers, agent },
    (response) => {
      const { fingerprint256: fingerprint } = (response.socket as TLSSocket).getPeerCertificate();
      response
        .resume()
        .on('end', () => resolve({ headers: response.headers, status: response.statusCode, fingerprint }));
    },
  )
    .on('error', reject)
    .end(body && JSON.stringify(body));
  return promise;
}

test('over TLS the cookie is bound to the host; a renewed certificate is taken without dropping a connection', async () => {
  let ca = await newCertificate();
  await using server = await accessServer(undefined);
  await server.account('anna', ['viewer', '*']);
  const stop = new AbortController();
  const settings = { ...server.settings, port: 0, tls: { cert: dir.join('cert.pem'), key: dir.join('key.pem') } };
  const configuration = await LiveConfiguration.open(async () => server.config);
  const clock = manualClock(Date.UTC(2026, 10, 21));
  const world = { clock, log: quiet, signal: stop.signal, configuration };
  const listening = await listen((asked, bindings) => server.app.fetch(asked, bindings), settings, world);
  const agent = new Agent({ keepAlive: true, maxSockets: 1, maxCachedSessions: 0 });
  try {
    const { url } = listening;
    const isServed = () =>
      ask(`${url}/healthz`, ca).then(
        ({ status }) => status === 200,
        () => false, // another certificate is
      );
    const { status, headers } = await ask(`${url}/api/v1/session`, ca, { name: 'anna', password: LONG });
    assert.equal(status, 201);
    assert.match(headers['set-cookie']![0]!, /^__Host-holdfast-session=.*Path=\/; HttpOnly; Secure; SameSite=Strict/);
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');

    const old = ca;
    const first = await ask(`${url}/healthz`, old, undefined, agent);
    ca = await newCertificate();
    await configuration.reload(); // SIGHUP
    await until(isServed);
    await writeFile(dir.join('key.pem'), 'no key');
    await clock.advance(10_000);
    assert.equal((await ask(`${url}/healthz`, ca)).status, 200, 'a broken one is not taken');
    ca = await newCertificate();
    for (let tries = 0; tries < 3; tries++) await clock.advance(10_000); // it looks at the files
    await until(isServed);
    const last = await ask(`${url}/healthz`, old, undefined, agent);
    assert.deepEqual([last.status, last.fingerprint], [200, first.fingerprint], 'who was connected still is');
  } finally {
    agent.destroy();
    stop.abort();
    await listening.close(0);
  }
});

test('accounts and the audit log through a server, with the token of an administrator', async () => {
  await using server = await accessServer(undefined);
  await server.account('root', ['administrator', '*']);
  const stop = new AbortController();
  const world = { clock: manualClock(0), log: quiet, signal: stop.signal };
  const place = { ...server.settings, host: '127.0.0.1', port: 0 };
  const listening = await listen((asked, bindings) => server.app.fetch(asked, bindings), place, world as never);
  const { token } = await server.token('administrator', { owner: 'root' });
  await writeFile(dir.join('token'), token);
  const remote = (...args: string[]) =>
    holdfast([...args, '--server', listening.url, '--token-file', dir.join('token'), '--json'], { cwd: dir.path });
  const added = await remote('user', 'add', 'ben', '--role', 'viewer', '--new-password-file', dir.join('password'));
  assert.equal((added.summary as { user: { name: string } }).user.name, 'ben', added.stderr);
  await remote('user', 'grant', 'ben', 'operator', '--app', 'clinic');
  const users = (await remote('user', 'list')).document<{ name: string; grants: object[] }[]>();
  assert.deepEqual(users.find(({ name }) => name === 'ben')?.grants.length, 2);
  assert.equal((await remote('user', 'revoke', 'ben')).summary?.revoked, true);
  assert.equal(
    (await remote('user', 'passwd', 'ben', '--new-password-file', dir.join('short'))).error?.error,
    'password_refused',
  );
  assert.equal((await remote('user', 'remove', 'ben')).code, 0);
  assert.equal((await remote('user', 'remove', 'ben')).error?.error, 'user_unknown');
  const entries = (await remote('audit', 'list', '--action', 'user.remove')).document<{ action: string }[]>();
  assert.equal(entries.length > 0 && entries.every(({ action }) => action === 'user.remove'), true);
  assert.match((await remote('audit', 'export')).stdout, /"user\.remove"/);
  assert.equal((await remote('token', 'list')).code, 2, 'tokens are made by people');
  stop.abort();
  await listening.close(100);
});
