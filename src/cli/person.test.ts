/** Who answers the questions of a runbook on the command line. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Terminal } from './context.ts';
import { personAt } from './person.ts';

const { signal } = new AbortController();

/** Types these lines, one for each question. */
function typing(...lines: string[]): Terminal & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    ask: async (question) => {
      asked.push(question);
      return lines.shift() ?? assert.fail('nothing more is typed');
    },
  };
}

test('yes and no are answers; anything else is a note that goes with the answer, and the question comes again', async () => {
  const yes = typing(' YES ');
  assert.deepEqual(await personAt({ terminal: yes }, 'anna', false).ask(1, 'Ready?', signal), {
    ...{ yes: true, by: 'anna', note: null },
  });
  const terminal = typing('the disk is new', '', 'ticket 12', 'n');
  assert.deepEqual(await personAt({ terminal }, 'anna', false).ask(2, 'Go on?', signal), {
    ...{ yes: false, by: 'anna', note: 'the disk is new ticket 12' },
  });
  assert.equal(terminal.asked.length, 4);
});

test('a question cannot drive the terminal', async () => {
  const terminal = typing('y');
  await personAt({ terminal }, 'anna', false).ask(1, 'Is \u001b[2J it?', signal);
  assert.ok(!terminal.asked[0]!.includes('\u001b'));
});

test('with --yes nobody is asked; where nobody can be, the first question fails and says what helps', async () => {
  const terminal = typing();
  assert.equal((await personAt({ terminal }, 'anna', true).ask(1, 'Ready?', signal)).yes, true);
  assert.deepEqual(terminal.asked, []);
  const nobody = personAt({}, 'anna', false);
  assert.deepEqual(await nobody.ready(1, signal), []);
  await assert.rejects(nobody.ask(1, 'Ready?', signal), { code: 'confirmation_missing', hint: /--yes/ });
});

test('under the service the people who follow the run answer, not the terminal', async () => {
  const questions: unknown[] = [];
  const supervision = {
    permit: async () => true,
    confirm: async (step: number, question: string) => {
      questions.push([step, question]);
      return { yes: true, by: 'ben', note: null };
    },
    ready: async () => [],
  } as unknown as NonNullable<Parameters<typeof personAt>[0]['supervision']>;
  const answer = await personAt({ terminal: typing(), supervision }, 'anna', false).ask(3, 'Switch over?', signal);
  assert.deepEqual([answer.by, questions], ['ben', [[3, 'Switch over?']]]);
});
