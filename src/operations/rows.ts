/** Rows as they were: a sandbox of the moment, and out of it a file, or a merge into the running database. */
import { Failure } from '../base/failure.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../postgres/connection-settings.ts';
import type { ProgramSearch } from '../postgres/programs.ts';
import {
  displayName,
  type ExportFormat,
  exportRows,
  findPgDump,
  type MergeOutcome,
  type MergePlan,
  mergeRows,
  RowsSession,
  readCatalog,
  refuseExisting,
  selectTables,
  writeNewFile,
} from '../recovery/rows.ts';
import { openSandbox, type Sandbox } from '../recovery/sandbox.ts';
import type { Session } from './session.ts';
import { type StateAsked, sandboxTarget } from './state.ts';

export type { MergeOutcome, MergePlan } from '../recovery/rows.ts';
export { onlyDatabase, runningDatabase } from './rows/target.ts';

export interface RowsInput {
  readonly app: string;
  readonly source?: string;
  readonly storage?: string;
  readonly state: StateAsked;
  readonly tables: readonly string[];
  readonly schemas: readonly string[];
  readonly where: string | undefined;
  /** Default: that of the source. */
  readonly database?: string;
  readonly programs: ProgramSearch;
  readonly account?: string;
}

export interface ExportInput extends RowsInput {
  /** Absolute; absent: `onBytes` gets everything. */
  readonly file?: string;
  readonly format: ExportFormat;
  readonly force: boolean;
  readonly onBytes: (bytes: Buffer) => Promise<void>;
}

export interface ExportOutcome {
  readonly table: string;
  readonly file: string | null;
  readonly rows: number;
  readonly bytes: number;
  readonly reached_lsn: string;
  readonly reached_time: string | null;
}

/** One table into a file, or to the reader. Throws `usage`, `table_unknown`, `target_exists` and what a sandbox throws. */
export async function exportTable(session: Session, input: ExportInput): Promise<ExportOutcome> {
  const { file, force, format, where } = input;
  if (file !== undefined && !force) await refuseExisting(file);
  await using sandbox = await open(session, input);
  await using past = await RowsSession.open(pastOf(sandbox, input), { signal: session.signal, label: 'The copy' });
  const selected = selectTables(await readCatalog(past), input);
  const [table] = selected;
  if (table === undefined || selected.length > 1)
    throw new Failure('usage', 'A file takes the rows of one table.', { hint: 'Name one with --table.' });
  let rows = 0;
  let bytes = 0;
  const chunks = counted(
    exportRows(past, { table, where, format, onRows: (count) => (rows = count) }),
    (length) => (bytes += length),
  );
  if (file === undefined) for await (const chunk of chunks) await input.onBytes(chunk);
  else await writeNewFile(file, chunks, { force });
  const { lsn, commitTime } = sandbox.reached;
  return { table: displayName(table), file: file ?? null, rows, bytes, reached_lsn: lsn, reached_time: commitTime };
}

export interface MergeInput extends RowsInput {
  /** Where the rows go. */
  readonly into: ConnectionSettings;
  readonly update: boolean;
  readonly related: boolean;
  readonly triggers: boolean;
  /** Absent: a plan only. */
  readonly apply?: { readonly confirm: string | undefined; readonly reversal: string };
  readonly onPlan: (plan: MergePlan) => Promise<void>;
}

/** Conflicts and collisions shown per table. */
const SHOWN = 10;

/** Throws `confirmation_missing` before anything is restored, `rows_refused`, `rows_busy`, and what a sandbox throws. */
export async function mergeTables(session: Session, input: MergeInput): Promise<MergeOutcome> {
  const { into, apply, state } = input;
  if (apply !== undefined) {
    refuseUnconfirmed(into.database, apply.confirm);
    await refuseExisting(apply.reversal);
  }
  session.progress({ type: 'note', message: `As of ${state.shown}.` });
  await using sandbox = await open(session, input);
  session.progress({ type: 'step', step: 'merge', title: 'comparing the rows' });
  const outcome = await mergeRows({
    ...{ past: pastOf(sandbox, input), now: into, tables: input.tables, schemas: input.schemas, where: input.where },
    ...{ related: input.related, update: input.update, triggers: input.triggers, show: SHOWN },
    ...(apply === undefined ? {} : { apply: { reversal: apply.reversal, title: titleOf(input, sandbox, into) } }),
    dumpProgram: (major) => findPgDump(major, input.programs),
    signal: session.signal,
    onPlan: async (plan) => {
      session.progress({ type: 'done', step: 'merge', outcome: 'done' });
      await input.onPlan(plan);
    },
  }).catch((error: unknown) => {
    session.progress({ type: 'done', step: 'merge', outcome: 'failed' });
    throw error;
  });
  return outcome;
}

async function open(session: Session, input: RowsInput): Promise<Sandbox> {
  const { app, source, storage, account, programs } = input;
  return openSandbox(session, {
    ...{ target: await sandboxTarget(session, app, input.state), app, programs },
    ...(source === undefined ? {} : { source }),
    ...(storage === undefined ? {} : { storage }),
    ...(account === undefined ? {} : { account }),
  });
}

function pastOf(sandbox: Sandbox, { database }: RowsInput): ConnectionSettings {
  return parseConnectionUrl(sandbox.url(database));
}

function refuseUnconfirmed(database: string, given: string | undefined): void {
  if (given === database) return;
  const what =
    given === undefined
      ? 'Rows would be written into'
      : `"${given}" is not the name of the database that rows would be written into,`;
  throw new Failure('confirmation_missing', `${what} the database "${database}".`, {
    hint: `Look first with --dry-run. When that is meant, say so: --confirm ${database}`,
  });
}

function titleOf(
  { tables, schemas, where }: MergeInput,
  { reached }: Sandbox,
  { database }: ConnectionSettings,
): string[] {
  const what = [...tables, ...schemas.map((schema) => `schema ${schema}`)].join(', ');
  return [
    `Undoes one merge of rows into the database ${database}.`,
    `The rows: ${what}${where === undefined ? '' : ` where ${where}`}, as of ${reached.lsn}${reached.commitTime === null ? '' : `, ${reached.commitTime}`}.`,
  ];
}

async function* counted(chunks: AsyncIterable<Buffer>, onBytes: (length: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    onBytes(chunk.length);
    yield chunk;
  }
}
