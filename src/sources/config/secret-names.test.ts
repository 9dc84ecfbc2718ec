import assert from 'node:assert/strict';
import { test } from 'node:test';
import { looksRandom, nameKind } from './secret-names.ts';

const SECRET =
  `PASSWORD DB_PASSWORD dbPassword db-password pgpassword POSTGRES_PASSWORD password2 PASSWD SMTP_PASS pwd requirepass
  masterauth SECRET_KEY client_secret clientSecret APIKey api_key STRIPE_API_KEY APP_KEY PRIVATE_KEY privateKey PresharedKey
  ACCESS_TOKEN authToken _authToken GITHUB_TOKEN passphrase ssl_passphrase_command CREDENTIALS SENTRY_DSN SALT AWS_SECRET_ACCESS_KEY
  ENCRYPTION_KEYS spring.datasource.password secret_id ldapbindpasswd`.split(/\s+/);

const HARMLESS =
  `USER HOST PORT DEBUG PUBLIC_KEY SSH_PUB_KEY KEY_ID POSTGRES_PASSWORD_FILE password_encryption ssl_key_file
  PASSWORD_RESET_TIMEOUT AUTH_PASSWORD_VALIDATORS PASSWORD_HASHERS primary_key foreign_key cache_key proxy_pass fastcgi_pass max_tokens
  TOKEN_URL token_type ACCESS_TOKEN_LIFETIME keyboard monkey compass passenger author tokenizer_name secret_name`.split(
    /\s+/,
  );

test('names that announce a secret are recognised in every notation', () => {
  for (const name of SECRET) assert.equal(nameKind(name), 'secret', name);
});

test('names that only speak about secrets, or about something else, are harmless', () => {
  for (const name of HARMLESS) assert.equal(nameKind(name), 'harmless', name);
});

test('names that are as often harmless as not ask for a value that looks generated', () => {
  for (const name of ['key', 'auth', 'private', 'secrets', 'cookie']) assert.equal(nameKind(name), 'if-random', name);
  for (const value of ['0123456789abcdef', 'wJalrXUtnFEMIK7MDENGbPx', 'YWxhZGRpbjpvcGVuc2VzYW1l'])
    assert.ok(looksRandom(value), value);
  for (const value of [
    'id',
    'tenant_identifier',
    '/etc/ssl/private/server1.key',
    'https://example.org/1234',
    'a b c 1 2 3 4 5 6 7 8',
  ]) {
    assert.ok(!looksRandom(value), value);
  }
});
