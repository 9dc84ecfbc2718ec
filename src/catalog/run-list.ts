/** Lists of runs, the newest first: whole, or first only which ones and then what is shown of them. */
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { idFloor, isRecordId } from '../base/ids.ts';
import type { CatalogDb } from './database.ts';
import { type Prepared, preparedForms } from './prepared.ts';
import { type Run, toRun } from './run.ts';
import type { RunState, RunsTable } from './schema.ts';

export interface RunFilter {
  readonly app?: string;
  /** Only of these apps: what a person may see. */
  readonly apps?: readonly string[];
  readonly kind?: string;
  readonly state?: RunState | readonly RunState[];
  readonly schedule?: string;
  /** Made at or after, ms since the epoch. */
  readonly since?: number;
  /** Made before. */
  readonly until?: number;
  /** Where the last page ended. */
  readonly cursor?: string;
  readonly limit: number;
}

/** The columns of a run that are shown of it in a list. */
const SHOWN = [
  ...(['id', 'app', 'kind', 'params', 'state', 'priority', 'trigger', 'reason', 'requested_by'] as const),
  ...(['schedule_id', 'scheduled_for', 'after_run', 'labels', 'attempt', 'max_attempts', 'time_limit_ms'] as const),
  ...(['not_before', 'created_at', 'started_at', 'finished_at', 'worker', 'cancel_requested', 'cancelled_by'] as const),
  ...(['progress', 'outcome', 'error_code', 'error_message', 'error_hint'] as const),
] as const;

/** As it lies in the catalog: times in ms since the epoch, `params`, `labels`, `progress` and `outcome` as JSON. */
export type RunRow = Pick<RunsTable, (typeof SHOWN)[number]>;

const MARK = ['id', 'state', 'fence', 'finished_at'] as const;

/** Which run, and which state of it: of a run that is over, everything else follows from these. */
export type RunMark = Pick<RunsTable, (typeof MARK)[number]>;

const wholeRuns = preparedForms((db: CatalogDb, asked: Asked) => narrowed(db, asked).selectAll());
const runMarks = preparedForms((db: CatalogDb, asked: Asked) => narrowed(db, asked).select([...MARK]));
const runRows = preparedForms((db: CatalogDb, { ids }: { readonly ids: readonly string[] }) =>
  db
    .selectFrom('runs')
    .select([...SHOWN])
    .where('id', 'in', ids),
);

/** A page of runs, the newest first; `next` is the cursor of the following page. */
export async function listRuns(
  db: CatalogDb,
  filter: RunFilter,
): Promise<{ readonly runs: Run[]; readonly next: string | null }> {
  const { rows, next } = await page(db, wholeRuns, filter);
  return { runs: rows.map(toRun), next };
}

/** The same page as marks: for whoever has the rest of most of them. */
export async function listRunMarks(
  db: CatalogDb,
  filter: RunFilter,
): Promise<{ readonly marks: RunMark[]; readonly next: string | null }> {
  const { rows, next } = await page(db, runMarks, filter);
  return { marks: rows, next };
}

/** What is shown of these runs, in any order; those that are not there any more are left out. */
export async function readRunRows(db: CatalogDb, ids: readonly string[]): Promise<readonly RunRow[]> {
  return ids.length === 0 ? [] : (await runRows(db, { ids })).rows;
}

/** Whether a run of one of these kinds is under way, anywhere. */
export async function anyRunning(db: CatalogDb, kinds: readonly string[]): Promise<boolean> {
  return (await runningOf(db, { kinds })).rows.length > 0;
}

const runningOf = preparedForms((db: CatalogDb, { kinds }: { readonly kinds: readonly string[] }) =>
  db.selectFrom('runs').select('id').where('state', '=', 'running').where('kind', 'in', kinds).limit(1),
);

/** The values of one statement. */
interface Asked {
  readonly app?: string;
  readonly apps?: readonly string[];
  readonly kind?: string;
  readonly state?: RunState;
  readonly states?: readonly RunState[];
  readonly schedule?: string;
  /** Ids. */
  readonly from?: string;
  readonly before?: string;
  readonly cursor?: string;
  readonly rows: number;
}

async function page<Row extends { id: string }>(
  db: CatalogDb,
  select: Prepared<Asked, Row>,
  filter: RunFilter,
): Promise<{ readonly rows: Row[]; readonly next: string | null }> {
  const found = await Promise.all(parts(asked(filter)).map((part) => select(db, part)));
  const rows =
    found.length === 1 ? found[0]!.rows : found.flatMap((part) => part.rows).sort((a, b) => (a.id < b.id ? 1 : -1));
  if (rows.length <= filter.limit) return { rows, next: null };
  const first = rows.slice(0, filter.limit);
  return { rows: first, next: first.at(-1)!.id };
}

function asked({ state, since, until, cursor, limit, ...same }: RunFilter): Asked {
  const states = typeof state === 'string' ? [state] : state;
  return {
    ...same,
    ...(states?.length === 1 ? { state: states[0]! } : given('states', states)),
    ...given('from', since === undefined ? undefined : idFloor(since)),
    ...given('before', until === undefined ? undefined : idFloor(until)),
    ...given('cursor', cursor === undefined ? undefined : checkedCursor(cursor)),
    rows: limit + 1,
  };
}

/** Up to so many combinations of apps and states are asked for one by one: each begins at its place in an index. */
const MOST_PARTS = 12;

function parts(asked: Asked): readonly Asked[] {
  const { apps, states, ...rest } = asked;
  const count = (apps?.length ?? 1) * (states?.length ?? 1);
  if (apps === undefined && states === undefined) return [asked];
  if (count === 0 || count > MOST_PARTS || (rest.app !== undefined && apps !== undefined)) return [asked];
  return (apps ?? [rest.app]).flatMap((app) =>
    (states ?? [rest.state]).map((state) => ({ ...rest, ...given('app', app), ...given('state', state) })),
  );
}

function narrowed(db: CatalogDb, asked: Asked) {
  const { app, apps, kind, state, states, schedule, from, before, cursor } = asked;
  let query = db.selectFrom('runs').orderBy('id', 'desc').limit(asked.rows);
  if (app !== undefined) query = query.where('app', '=', app);
  if (apps !== undefined) query = query.where('app', 'in', apps);
  if (kind !== undefined) query = query.where('kind', '=', kind);
  if (state !== undefined) query = query.where('state', '=', state);
  if (states !== undefined) query = query.where('state', 'in', states);
  if (schedule !== undefined) query = query.where('schedule_id', '=', schedule);
  if (from !== undefined) query = query.where('id', '>=', from);
  if (before !== undefined) query = query.where('id', '<', before);
  return cursor === undefined ? query : query.where('id', '<', cursor);
}

function checkedCursor(cursor: string): string {
  if (isRecordId(cursor)) return cursor;
  throw new Failure('usage', 'The cursor is not one that a list gave.', { hint: 'Take "next" of the page before.' });
}
