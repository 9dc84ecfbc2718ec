/** `holdfast runs inputs RUN`: what people said to a run. */
import { listRunInputs, type RunInput } from '../../api/runs.ts';
import { printList } from '../listing.ts';
import { moment } from '../output/facts.ts';
import type { Column } from '../output/output.ts';
import { runArgument } from '../runs.ts';
import { serviceCommand } from '../service-command.ts';

const COLUMNS: readonly Column<RunInput>[] = [
  { title: 'TIME', value: ({ at }) => moment(at) },
  { title: 'WHO', value: ({ by }) => by },
  { title: 'WHAT', value: ({ kind }) => kind },
  { title: 'STEP', value: ({ step }) => step ?? '–' },
  { title: 'TEXT', value: ({ text }) => text ?? '', shrinks: true },
];

export default serviceCommand({
  details: 'Answers to the questions of a runbook, pauses, notes; in order.',
  arguments: { run: runArgument },
  examples: [['holdfast runs inputs 01m7ymtxamewa1szj5sc9zt8t1', 'who confirmed which step']],
  lists: true,
  async ask(context, { arguments: { run } }) {
    const answer = await context.server.client.call(listRunInputs, { params: { run } });
    await printList(context, answer, COLUMNS, 'Nobody said anything.');
  },
});
