/** What commands about sandboxes of the service share. */
import type { Sandbox } from '../api/sandboxes.ts';
import { argument } from './command.ts';
import { moment, momentIfAny, printFacts } from './output/facts.ts';
import type { Column, Output } from './output/output.ts';

export const sandboxArgument = argument.required('SANDBOX', 'id of a sandbox');

export const sandboxColumns: readonly Column<Sandbox>[] = [
  { title: 'ID', value: ({ id }) => id },
  { title: 'APP', value: ({ app }) => app },
  { title: 'STATE', value: ({ state }) => state },
  { title: 'AT', value: ({ at }) => at },
  { title: 'UNTIL', value: ({ until }) => moment(until) },
  { title: 'URL', value: ({ url }) => url ?? '–' },
];

/** Everything about one. */
export async function printSandbox(output: Output, sandbox: Sandbox): Promise<void> {
  const { major, error, requested_by: by } = sandbox;
  await printFacts(output, `sandbox of ${sandbox.app}, ${sandbox.state}`, [
    ['sandbox', sandbox.id],
    ['at', sandbox.at],
    ['point', sandbox.point],
    ['reached', [momentIfAny(sandbox.reached_time), sandbox.reached_lsn].filter((part) => part !== null).join(', ')],
    ['PostgreSQL', major === null ? null : String(major)],
    ['url', sandbox.url],
    ['directory', sandbox.directory],
    ['worker', sandbox.worker],
    ['until', momentIfAny(sandbox.until)],
    ['asked by', by === null ? moment(sandbox.created_at) : `${by}, ${moment(sandbox.created_at)}`],
    ['error', error === null ? null : `${error.message} (${error.code})`],
    ['hint', error?.hint],
  ]);
}
