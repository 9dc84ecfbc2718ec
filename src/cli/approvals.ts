/** What commands about requests for approval share. */
import type { Approval } from '../api/administration.ts';
import { argument } from './command.ts';
import { moment, momentIfAny, pairs, printFacts } from './output/facts.ts';
import type { Column } from './output/output.ts';
import type { RemoteContext } from './remote.ts';

export const approvalArgument = argument.required('APPROVAL', 'id of a request');

/** Of the commands that decide. */
export const DECIDING =
  'It takes another person than the one who asked: a token counts as its owner, and whoever works on the machine itself is nobody in particular. ' +
  'So this goes through a server, with the token of an account.';

export const approvalColumns: readonly Column<Approval>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'RUN', value: ({ action, app }) => (app === null || app === '*' ? action : `${action} of ${app}`) },
  { title: 'ASKED BY', value: ({ requested_by }) => requested_by },
  { title: 'ASKED', value: ({ requested_at }) => moment(requested_at) },
  { title: 'EXPIRES', value: ({ expires_at }) => moment(expires_at) },
  { title: 'WHY', value: ({ reason }) => reason ?? '', shrinks: true },
];

/** Everything about one; after a decision the summary of it. */
export async function reportApproval(
  { output, flags }: RemoteContext,
  approval: Approval,
  as: 'document' | 'summary',
): Promise<void> {
  if (flags.json) return as === 'document' ? output.document(approval) : output.summary(approval);
  await printFacts(output, `${approval.action} of ${approval.app ?? 'all apps'}, ${approval.state}`, [
    ['request', approval.id],
    ['params', pairs(approval.params)],
    ['reason', approval.reason],
    ['asked by', `${approval.requested_by}, ${moment(approval.requested_at)}`],
    ['expires', approval.state === 'pending' ? moment(approval.expires_at) : null],
    ['decided by', approval.decided_by],
    ['decided', momentIfAny(approval.decided_at)],
    ['run', approval.run],
  ]);
}
