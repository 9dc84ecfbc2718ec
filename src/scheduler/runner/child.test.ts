import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ChildListener, processes } from './child.ts';

const ASKS_STRANGELY = `
  const { createReadStream, writeSync } = require('node:fs');
  writeSync(3, 'null\\n[1]\\nno JSON\\n{"ask":"permit","step":"point"}\\n');
  let heard = '';
  createReadStream('', { fd: 3 }).on('data', (chunk) => {
    heard += chunk;
    if (heard.split('\\n').length === 5) process.stdout.write(heard, () => process.exit());
  });
`;

test('a question that is no object is answered like one that asks for nothing known, and the next one is heard', async () => {
  const asked: string[] = [];
  const told: string[] = [];
  const listener: ChildListener = {
    line: (_from, text) => void told.push(text),
    permit: async (step) => asked.push(step) > 0 && step === 'point',
    confirm: () => assert.fail('nobody asked for a person'),
    ready: () => assert.fail('nobody asked for a person'),
  };
  const start = processes({ command: [process.execPath, '-e', ASKS_STRANGELY], env: {}, cwd: '/' });
  assert.deepEqual(await start({ words: [], runId: 'run' }, listener).ended, { status: 0 });
  assert.deepEqual(asked, ['', '', '', 'point']);
  assert.deepEqual(told, [...Array(3).fill('{"permit":false}'), '{"permit":true}']);
});
