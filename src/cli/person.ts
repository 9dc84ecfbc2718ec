/** The person at the terminal while a runbook is carried out. */
import { Failure } from '../base/failure.ts';
import { printable } from '../base/printable.ts';
import { agreeing, type Person, throughService } from '../operations/runbook.ts';
import type { Context } from './context.ts';

/** Whoever answers: somebody at the terminal, people who follow it through the service, or nobody with `--yes`. Without either, the first question fails clearly. */
export function personAt(
  { terminal, supervision }: Pick<Context, 'terminal' | 'supervision'>,
  by: string,
  yes: boolean,
): Person {
  if (yes) return agreeing(by);
  if (supervision !== undefined) return throughService(supervision);
  return {
    ready: async () => [],
    ask: async (_step, question, signal) => {
      if (terminal === undefined) throw nobody(question);
      const notes: string[] = [];
      for (;;) {
        const said = (
          await terminal.ask(`${printable(question)}\n  yes, no, or a note for the report: `, signal)
        ).trim();
        const note = notes.length === 0 ? null : notes.join(' ');
        if (/^y(es)?$/i.test(said)) return { yes: true, by, note };
        if (/^no?$/i.test(said)) return { yes: false, by, note };
        if (said !== '') notes.push(said);
      }
    },
  };
}

function nobody(question: string): Failure {
  return new Failure('confirmation_missing', `Somebody must answer: ${question}`, {
    hint: 'Run it on a terminal, or with --yes when all questions are answered already.',
  });
}
