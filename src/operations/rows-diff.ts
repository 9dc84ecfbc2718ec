/** What differs in a table between two moments, or a moment and now. */
import { Failure } from '../base/failure.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../postgres/connection-settings.ts';
import type { ProgramSearch } from '../postgres/programs.ts';
import {
  type DiffCounts,
  diffTable,
  displayName,
  type RowDifference,
  RowsSession,
  readCatalog,
  selectTables,
} from '../recovery/rows.ts';
import { openSandbox } from '../recovery/sandbox.ts';
import type { Session } from './session.ts';
import { type StateAsked, sandboxTarget } from './state.ts';

export type { RowDifference } from '../recovery/rows.ts';

export interface RowsDiffInput {
  readonly app: string;
  readonly source?: string;
  readonly from: StateAsked;
  /** Another moment, or the running database. */
  readonly to: StateAsked | { readonly now: ConnectionSettings };
  readonly table: string;
  readonly database?: string;
  readonly programs: ProgramSearch;
  readonly account?: string;
  readonly onDifference: (difference: RowDifference) => Promise<void>;
}

export interface RowsDiffOutcome extends DiffCounts {
  readonly table: string;
}

/** Throws `table_unknown`, `rows_refused`, and what a sandbox throws. */
export async function rowsDiff(session: Session, input: RowsDiffInput): Promise<RowsDiffOutcome> {
  const { signal } = session;
  await using open = new AsyncDisposableStack();
  const settingsOf = async (state: StateAsked): Promise<ConnectionSettings> => {
    const { app, source, programs, account } = input;
    const sandbox = await openSandbox(session, {
      ...{ target: await sandboxTarget(session, app, state), app, programs },
      ...(source === undefined ? {} : { source }),
      ...(account === undefined ? {} : { account }),
    });
    open.use(sandbox);
    return parseConnectionUrl(sandbox.url(input.database));
  };
  const before = await RowsSession.open(await settingsOf(input.from), { signal, label: 'The earlier copy' });
  open.use(before);
  const to = 'now' in input.to ? input.to.now : await settingsOf(input.to);
  const after = await RowsSession.open(to, { signal, label: 'now' in input.to ? 'The database' : 'The later copy' });
  open.use(after);
  const [table] = selectTables(await readCatalog(before), { tables: [input.table], schemas: [] });
  if (table === undefined) throw new Failure('internal', 'No table was selected.');
  return { table: displayName(table), ...(await diffTable(before, after, table, input.onDifference)) };
}
