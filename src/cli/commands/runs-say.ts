/** `holdfast runs say RUN WHAT`: an answer to a run that asks, a pause, a note. */
import { addRunInput } from '../../api/runs.ts';
import { given } from '../../base/given.ts';
import { argument, option } from '../command.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

const WHAT = ['confirm', 'refuse', 'pause', 'resume', 'note'] as const;

export default serviceCommand({
  details: 'For runs of a runbook: its log tells the step that waits for a person, and its number.',
  arguments: { run: runArgument, what: argument.oneOf('WHAT', WHAT, 'what you say') },
  options: {
    step: option.text('N', 'the step it is about'),
    text: option.text('TEXT', 'in your words; kept in the report'),
  },
  examples: [
    ['holdfast runs say 01m7ymtxamewa1szj5sc9zt8t1 confirm --step 3 --text "checked by Ana"', 'the recovery goes on'],
  ],
  async ask({ output, flags, server }, { arguments: { run, what }, options: { step, text } }) {
    const said = await server.client.call(addRunInput, {
      ...{ params: { run }, body: { kind: what, ...given('step', step), ...given('text', text) } },
    });
    if (flags.json) return output.summary(said);
    await output.line(`Noted: ${what}${step === undefined ? '' : ` of step ${step}`}, by ${said.by}.`);
  },
});
