/** Connections by sslmode against a server with a certificate of its own authority, and a whole backup through TLS. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chown, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isFailure } from '../../src/base/failure.ts';
import { serverAccount } from '../../src/postgres/account.ts';
import { diagnose } from '../../src/postgres/diagnose.ts';
import { openPostgresSource } from '../../src/sources/postgres-source.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { writeEntries } from '../support/postgres/write-entries.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const major = (await majors()).at(-1) ?? 18;

let dir: TempDir;
let server: TestServer;

before(async () => {
  dir = await tempDir({ open: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: dir.path, stdio: 'pipe' });
  openssl(
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-keyout',
    'server.key',
    '-out',
    'server.crt',
    '-days',
    '2',
    '-subj',
    '/CN=db.test',
    '-addext',
    'subjectAltName=DNS:localhost',
  );
  const account = serverAccount();
  if (account) for (const name of ['server.key', 'server.crt']) await chown(dir.join(name), account.uid, account.gid);
  server = await startPostgres({
    major,
    hba: 'hostssl all all 127.0.0.1/32 scram-sha-256\nlocal all all trust\n',
    settings: { ssl: 'on', ssl_cert_file: dir.join('server.crt'), ssl_key_file: dir.join('server.key') },
  });
  await server.sql(
    `CREATE ROLE keeper SUPERUSER LOGIN PASSWORD 'right'; CREATE TABLE t AS SELECT g FROM generate_series(1, 1000) g`,
  );
});
after(async () => {
  await server.stop('immediate');
  await dir.remove();
});

function url(host: string, parameters: string): string {
  return `postgres://keeper:right@${host}:${server.instance.port}/postgres?${parameters}`;
}

async function problems(text: string): Promise<readonly string[]> {
  const findings = await diagnose(text);
  return findings.filter((finding) => finding.severity === 'problem').map((finding) => finding.code);
}

test('a whole backup goes through TLS, with a password', async () => {
  await using target = await tempDir({ open: true });
  const source = openPostgresSource({ url: url('127.0.0.1', 'sslmode=require'), label: 'x' });
  const { files } = await writeEntries(source.entries(), target.join('data'));
  assert.equal(files.at(-1), 'global/pg_control');
  const original = await readFile(join(server.dataDir, 'PG_VERSION'));
  assert.deepEqual(await readFile(target.join('data', 'PG_VERSION')), original);
});

test('verify-full wants a known authority and the right name', async () => {
  const root = encodeURIComponent(dir.join('server.crt'));
  assert.deepEqual(await problems(url('localhost', 'sslmode=verify-full')), ['tls']);
  assert.deepEqual(await problems(url('127.0.0.1', `sslmode=verify-full&sslrootcert=${root}`)), ['tls']);
  assert.deepEqual(await problems(url('127.0.0.1', `sslmode=verify-ca&sslrootcert=${root}`)), []);
  assert.deepEqual(await problems(url('localhost', `sslmode=verify-full&sslrootcert=${root}`)), []);
});

test('a server that demands TLS refuses plain connections with the pg_hba line, and prefer finds the way', async () => {
  assert.deepEqual(await problems(url('127.0.0.1', 'sslmode=disable')), ['hba_rejected']);
  assert.deepEqual(await problems(url('127.0.0.1', 'sslmode=prefer')), []);
  assert.deepEqual(await problems(url('127.0.0.1', 'sslmode=allow')), []);
});

test('a root certificate that is not there is a mistake in the configuration', async () => {
  const source = openPostgresSource({
    url: url('localhost', 'sslmode=verify-ca&sslrootcert=/nowhere.pem'),
    label: 'x',
  });
  await assert.rejects(source.entries().next(), (error) => isFailure(error, 'config_invalid'));
});
