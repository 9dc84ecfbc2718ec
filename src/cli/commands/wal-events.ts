/** `holdfast wal events`: what happened, and the position just before it. */

import { listWalEvents } from '../../api/wal.ts';
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { formatCount } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import {
  DEFAULT_MIN_ROWS,
  type ToldChange,
  type ToldEvent,
  type WalEventsReport,
  walEvents,
} from '../../operations/wal-events.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Reads the archived log and tells the transactions that deleted or updated many rows of a table, truncated, dropped or rewrote tables, or ' +
    'dropped databases, and the named restore points. BEFORE is the position just before each: "holdfast restore --lsn BEFORE --to DIR" ' +
    'restores what was there. Names come from the live server when it answers, and from the log itself.',
  options: {
    since: option.time('T', 'only from this time on'),
    until: option.time('T', 'only up to this time'),
    minRows: option.integer('N', `rows from which on a DELETE or UPDATE is told; default ${DEFAULT_MIN_ROWS}`, 1),
  },
  examples: [
    ['holdfast wal events --since "2h ago"', 'who deleted all that?'],
    ['holdfast wal events --min-rows 1 --json', 'every transaction that changed or deleted rows, for a program'],
  ],
  exits: [EXIT.damaged, EXIT.noRepository, EXIT.wrongPassword],
  lists: true,
  async run(context, { options: { since, until, minRows = DEFAULT_MIN_ROWS } }) {
    const { output, flags } = context;
    const config = await context.config();
    const app = config.appName(flags.app);
    const sources = await archivedSources(config, app);
    await using session = await openSession(context);
    const report = await walEvents(session, { app, sources, since, until, minRows });
    return show({ output, flags }, report);
  },
  async remote(context, { options: { since, until, minRows } }) {
    const { document, app } = context.server;
    const query = {
      ...app,
      ...given('since', iso(since)),
      ...given('until', iso(until)),
      ...given('min_rows', minRows),
    };
    return show(context, await document<WalEventsReport>(listWalEvents, { query }));
  },
});

function iso(time: number | undefined): string | undefined {
  return time === undefined ? undefined : new Date(time).toISOString();
}

async function show(
  { output, flags }: Pick<Context, 'output' | 'flags'>,
  report: WalEventsReport,
): Promise<ExitStatus> {
  if (flags.json) {
    await output.document(report);
    return EXIT.done;
  }
  if (report.truncated)
    await output.warn('There are more events than are told: the oldest were left out.', 'Give --since and --until.');
  if (report.events.length === 0) await output.line('Nothing of that kind is in the archived log.');
  else {
    await output.table(report.events, [
      { title: 'TIME', value: ({ time }) => formatUtcAndLocal(Date.parse(time)) },
      { title: 'XID', value: ({ xid }) => (xid === null ? '' : String(xid)), align: 'right' },
      { title: 'BEFORE', value: ({ before_lsn }) => before_lsn },
      { title: 'WHAT', value: whatText, shrinks: true },
    ]);
  }
  return EXIT.done;
}

function whatText({ kind, name, changes }: ToldEvent): string {
  return kind === 'restore point' ? `restore point "${printable(name ?? '')}"` : changes.map(changeText).join(', ');
}

const VERBS = {
  delete: 'deleted',
  update: 'updated',
  insert: 'inserted',
  truncate: 'truncated',
  drop: 'dropped',
  rewrite: 'rewrote',
  'drop database': 'dropped database',
} as const;

function changeText(change: ToldChange): string {
  const database = printable(change.database ?? `number ${change.database_oid}`);
  if (change.kind === 'drop database') return `${VERBS[change.kind]} ${database}`;
  const unknown = change.files === null || change.files === 1 ? `file ${change.file}` : `${change.files} files`;
  const relation = change.relation === null ? `${unknown} of database ${database}` : printable(change.relation);
  return `${VERBS[change.kind]} ${change.rows === null ? '' : `${formatCount(change.rows)} rows of `}${relation}`;
}
