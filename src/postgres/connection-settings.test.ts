import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Failure } from '../base/failure.ts';
import { describeTarget, parseConnectionUrl, tlsAttempts } from './connection-settings.ts';

test('a full URL is read, escapes and all', () => {
  const settings = parseConnectionUrl(
    'postgres://ro%40le:p%40ss%2Fw@db.example:6543/my%20db?sslmode=verify-full&connect_timeout=3',
  );
  assert.deepEqual(settings, {
    host: 'db.example',
    port: 6543,
    user: 'ro@le',
    password: 'p@ss/w',
    database: 'my db',
    sslMode: 'verify-full',
    applicationName: 'holdfast',
    connectTimeoutMs: 3000,
  });
  assert.equal(describeTarget(settings), 'ro@le@db.example:6543/my db');
});

test('Unix sockets are had as host parameter, as escaped host, and without any host part', () => {
  const urls = [
    'postgres://u@/db?host=/run/pg&port=5433',
    'postgresql://u@%2Frun%2Fpg:5433/db',
    'postgres:///db?host=/run/pg&port=5433&user=u',
    'postgres://u@:5433/db?host=/run/pg',
  ];
  for (const url of urls) {
    const { host, port, user, database } = parseConnectionUrl(url);
    assert.deepEqual({ host, port, user, database }, { host: '/run/pg', port: 5433, user: 'u', database: 'db' }, url);
    assert.deepEqual(tlsAttempts(parseConnectionUrl(url)), [false]);
  }
});

test('IPv6 addresses lose their brackets, and the database defaults to the role', () => {
  const { host, database } = parseConnectionUrl('postgres://u@[::1]:5432');
  assert.deepEqual({ host, database }, { host: '::1', database: 'u' });
});

test('the sslmode decides what is tried, and how the certificate is checked', () => {
  const attempts = (mode: string) =>
    tlsAttempts(parseConnectionUrl(`postgres://u@h/d?sslmode=${mode}`)).map((tls) =>
      tls ? tls.rejectUnauthorized : 'plain',
    );
  assert.deepEqual(attempts('disable'), ['plain']);
  assert.deepEqual(attempts('allow'), ['plain', false]);
  assert.deepEqual(attempts('prefer'), [false, 'plain']);
  assert.deepEqual(attempts('require'), [false]);
  assert.deepEqual(attempts('verify-ca'), [true]);
  assert.deepEqual(attempts('verify-full'), [true]);
});

test('what is no database URL is refused without repeating it', () => {
  const wrong = [
    'mysql://u:s3cret@h/d',
    'postgres://u:s3cret@h:99999/d',
    'postgres://u:s3cret@h/d?sslmode=maybe',
    'postgres://u:s3cret%zz@h/d',
    'postgres://u:p@ss/s3cret@h/d',
    'postgres://u:12#s3cret@h/d',
    'postgres://u:s3cret@h/d?connect_timeout=x',
    's3cret',
  ];
  for (const url of wrong) {
    assert.throws(
      () => parseConnectionUrl(url),
      (error) =>
        error instanceof Failure &&
        error.code === 'config_invalid' &&
        !`${error.stack}${error.hint}`.includes('s3cret@'),
      url,
    );
  }
});
