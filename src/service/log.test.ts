import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { serviceLog } from './log.ts';

const SECRET = 'zoRk7-sw0rdfish';

function written(write: (log: ReturnType<typeof serviceLog>) => void): string {
  const lines: string[] = [];
  write(serviceLog({ level: 'debug', clock: systemClock, to: { write: (line) => void lines.push(line) } }));
  return lines.join('');
}

test('a line is JSON with time, level, message and the fields of its parents', () => {
  const line = JSON.parse(written((log) => log.child({ run: 'r1' }).warn('Slow.', { seconds: 3 }))) as object;
  const { time, pid, ...rest } = line as { time: string; pid: number };
  assert.deepEqual(rest, { level: 'warn', run: 'r1', seconds: 3, message: 'Slow.' });
  assert.equal(new Date(time).toISOString(), time);
  assert.equal(pid, process.pid);
});

const PLACES: readonly (readonly [where: string, fields: object, message?: string])[] = [
  ['a field named for it', { password: SECRET }],
  ['a field inside fields', { storage: { secretAccessKey: SECRET } }],
  ['a list', { headers: [{ authorization: `Bearer ${SECRET}` }] }],
  ['a header by another name', { text: `Authorization: Bearer ${SECRET}` }],
  ['a cookie', { cookie: `holdfast=${SECRET}` }],
  ['a URL in a field', { url: `postgres://app:${SECRET}@db/clinic` }],
  ['a URL in the message', {}, `cannot reach postgres://app:${SECRET}@db/clinic`],
  ['a query', { url: `https://hooks.example/x?token=${SECRET}` }],
  ['an API token', { text: `used hft_${SECRET}` }],
  ['an error', { error: new Error(`connect postgres://app:${SECRET}@db failed`) }],
  [
    'the cause of an error',
    { error: new Failure('internal', 'no', { cause: new Error(`https://u:${SECRET}@host/`) }) },
  ],
  ['details of an error', { error: new Failure('internal', 'no', { details: { token: SECRET } }) }],
];

for (const [where, fields, message = 'A thing happened.'] of PLACES)
  test(`no secret is written: ${where}`, () => {
    const text = written((log) => log.child(fields as Record<string, unknown>).error(message, { ...fields }));
    assert.ok(text.includes('"level":"error"'));
    assert.ok(!text.includes(SECRET), text);
  });
