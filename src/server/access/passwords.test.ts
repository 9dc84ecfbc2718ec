import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkNewPassword, PASSWORD_COST, Passwords } from './passwords.ts';

const cheap = { ...PASSWORD_COST, memory: 64, passes: 1 };

test('a password is kept as argon2id with the parameters of today, and only it fits', async () => {
  const passwords = new Passwords();
  const stored = await passwords.hash('correct horse battery');
  assert.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  assert.equal(await passwords.verify('correct horse battery', stored), true);
  assert.equal(await passwords.verify('correct horse batterY', stored), false);
  assert.equal(await passwords.verify('correct horse battery', null), false);
  assert.equal(passwords.isOutdated(stored), false);
});

test('what was hashed with other parameters still fits, and is told as outdated', async () => {
  const stored = await new Passwords(cheap).hash('straße ﬁne long');
  const passwords = new Passwords({ ...cheap, passes: 2 });
  assert.equal(await passwords.verify('straße fine long', stored), true, 'the same characters in another form');
  assert.equal(passwords.isOutdated(stored), true);
});

test('parameters that would take the machine are refused before anything is derived', async () => {
  const hostile = '$argon2id$v=19$m=9999999,t=99,p=1$c29tZXNhbHRzb21lc2FsdA$c29tZWhhc2hzb21laGFzaHNvbWVoYXNo';
  await assert.rejects(new Passwords(cheap).verify('x', hostile), { code: 'catalog_failed' });
  await assert.rejects(new Passwords(cheap).verify('x', 'plain'), { code: 'catalog_failed' });
});

test('many at once wait in line, and too many are turned away', async () => {
  const passwords = new Passwords(cheap);
  const stored = await passwords.hash('correct horse battery');
  const outcomes = await Promise.allSettled(Array.from({ length: 60 }, () => passwords.verify('x', stored)));
  const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
  assert.ok(refused.length > 0 && refused.length < 60, String(refused.length));
  for (const { reason } of refused) assert.equal(reason.code, 'too_many_attempts');
  assert.equal(await passwords.verify('correct horse battery', stored), true, 'and then it goes on');
});

test('what is short, monotonous, the name or known to everybody is no new password', () => {
  for (const password of [
    'elevenchars',
    'aaaaaaaaaaaaaaaa',
    'annaannaanna1',
    'password1234',
    'Holdfast2026',
    'x'.repeat(300),
  ])
    assert.throws(() => checkNewPassword(password, 'anna'), { code: 'password_refused' }, password);
  checkNewPassword('correct horse battery', 'anna');
  checkNewPassword('кораблик плывёт', 'anna');
});
