/** Accounts, tokens and the audit log from the command line; and what a browser is told over a real TLS connection. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { after, before, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { quiet } from '../../src/base/log.ts';
import { listen } from '../../src/service/listen.ts';
import { accessServer, LONG } from '../support/access.ts';
import { holdfast, holdfastOk, writeConfig } from '../support/holdfast.ts';
import { runOk } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

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

test('over TLS the cookie is bound to the host, and the browser is told to stay with TLS', async () => {
  const [cert, key] = [dir.join('cert.pem'), dir.join('key.pem')];
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await runOk('openssl', [
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-days',
    '2',
    '-keyout',
    key,
    '-out',
    cert,
    ...subject,
  ]);
  await using server = await accessServer(undefined);
  await server.account('anna', ['viewer', '*']);
  const stop = new AbortController();
  const settings = { ...server.settings, port: 0, tls: { cert, key } };
  const world = { clock: systemClock, log: quiet, signal: stop.signal } as Parameters<typeof listen>[2];
  const listening = await listen((asked, bindings) => server.app.fetch(asked, bindings), settings, world);
  try {
    const { port } = new URL(listening.url);
    const body = JSON.stringify({ name: 'anna', password: LONG });
    const { promise, resolve, reject } = Promise.withResolvers<import('node:http').IncomingMessage>();
    const options = { ca: await readFile(cert), servername: 'localhost', method: 'POST', agent: false };
    request(
      `https://localhost:${port}/api/v1/session`,
      { ...options, headers: { 'content-type': 'application/json' } },
      resolve,
    )
      .on('error', reject)
      .end(body);
    const { statusCode, headers } = await promise;
    assert.equal(statusCode, 201);
    assert.match(headers['set-cookie']![0]!, /^__Host-holdfast-session=.*Path=\/; HttpOnly; Secure; SameSite=Strict/);
    assert.equal(headers['strict-transport-security'], 'max-age=31536000');
    assert.match(String(headers['content-security-policy']), /default-src 'none'.*frame-ancestors 'none'/);
    assert.equal(headers['x-content-type-options'], 'nosniff');
    assert.equal(headers['cache-control'], 'no-store');
  } finally {
    stop.abort();
    await listening.close(0);
  }
});
