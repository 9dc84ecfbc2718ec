/** Writes what was gathered, inside the transaction that gathered it: parents first, circles in one statement, then what only the result shows. */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { type Catalog, type ForeignKey, relationOf } from './catalog.ts';
import { writeOrder } from './order.ts';
import { displayName, quotedTable, sameTable } from './quoting.ts';
import type { RowsSession } from './session.ts';
import type { SharedColumn } from './shape.ts';
import { image, type Stage } from './stage.ts';

export interface Applied {
  readonly inserted: number;
  readonly updated: number;
  /** Rows that triggers made different from what they were. */
  readonly altered: number;
  /** Tables in the order in which they were written, circles as one group. */
  readonly groups: readonly (readonly Stage[])[];
}

/** The temporary table with the rows as they stood before an update: key by `k1…`, all columns by `o1…`. */
export function beforeTable(stage: Stage): string {
  return `${stage.name}_before`;
}

/** Columns of now that can be written: what a row consists of. */
export function ownColumns(stage: Stage): readonly string[] {
  return stage.shape.now.columns.filter(({ generated }) => !generated).map(({ name }) => name);
}

export async function applyStages(
  now: RowsSession,
  catalog: Catalog,
  stages: readonly Stage[],
  { update, triggers }: { readonly update: boolean; readonly triggers: boolean },
): Promise<Applied> {
  const groups = writeOrder(stages, ({ table }) => table, catalog.foreignKeys);
  if (update) for (const stage of stages) await keepBefore(now, stage);
  if (!triggers) await switchTriggersOff(now);
  let [inserted, updated] = [0, 0];
  for (const group of groups) {
    const written = await writeGroup(now, group, update);
    inserted += written.inserted;
    updated += written.updated;
  }
  // What would be checked at COMMIT is checked here, while nothing has been promised yet.
  await now.run('SET CONSTRAINTS ALL IMMEDIATE');
  if (!triggers) await checkKeys(now, catalog, stages);
  let altered = 0;
  for (const stage of stages) altered += await compareResult(now, stage, update);
  return { inserted, updated, altered, groups };
}

async function keepBefore(now: RowsSession, stage: Stage): Promise<void> {
  const keys = stage.shape.keyColumns.map(({ name }, at) => `t.${quoted(name)} AS k${at + 1}`);
  const own = ownColumns(stage).map((name, at) => `t.${quoted(name)} AS o${at + 1}`);
  await now.run(
    `CREATE TEMP TABLE ${beforeTable(stage)} ON COMMIT DROP AS SELECT ${[...keys, ...own].join(', ')}
       FROM ${stage.name} s JOIN ${relationOf(stage.table)} t ON ${stage.joinTable('s', 't')} WHERE s.status = 'differs'`,
  );
}

/** Ordinary triggers stay silent in the role of a replica; so do the checks of foreign keys, which `checkKeys` makes up for. */
async function switchTriggersOff(now: RowsSession): Promise<void> {
  try {
    await now.run('SET LOCAL session_replication_role = replica');
  } catch (error) {
    throw new Failure('rows_refused', `--no-triggers: ${(error as Failure).message}.`, {
      hint: `GRANT SET ON PARAMETER session_replication_role TO ${quoted(now.settings.user)}; or use a superuser.`,
      cause: error,
    });
  }
}

async function writeGroup(now: RowsSession, group: readonly Stage[], update: boolean) {
  const parts: string[] = [];
  const counts = { i: [] as string[], u: [] as string[] };
  group.forEach((stage, at) => {
    parts.push(`i${at} AS (${insertStatement(stage)} RETURNING 1)`);
    counts.i.push(`(SELECT count(*) FROM i${at})`);
    const change = update ? updateStatement(stage) : undefined;
    if (change === undefined) return;
    parts.push(`u${at} AS (${change} RETURNING 1)`);
    counts.u.push(`(SELECT count(*) FROM u${at})`);
  });
  const sums = [counts.i, counts.u].map((each) => (each.length === 0 ? '0' : each.join(' + ')));
  const [row] = await now.rows(`WITH ${parts.join(', ')} SELECT ${sums[0]} AS inserted, ${sums[1]} AS updated`);
  return { inserted: Number(row?.inserted), updated: Number(row?.updated) };
}

function insertStatement(stage: Stage): string {
  const written = stage.shape.columns.filter((column) => column.written);
  const names = written.map(({ name }) => quoted(name)).join(', ');
  const values = written.map(({ alias }) => `s.${alias}`).join(', ');
  const order = stage.shape.keyColumns.map(({ alias }) => `s.${alias}`).join(', ');
  return `INSERT INTO ${quotedTable(stage.table)} (${names}) OVERRIDING SYSTEM VALUE
            SELECT ${values} FROM ${stage.name} s WHERE s.status = 'missing' ORDER BY ${order}`;
}

function updateStatement(stage: Stage): string | undefined {
  const changed = stage.shape.columns.filter(isUpdated);
  if (changed.length === 0) return undefined;
  const set = changed.map(({ name, alias }) => `${quoted(name)} = s.${alias}`).join(', ');
  return `UPDATE ${relationOf(stage.table)} t SET ${set} FROM ${stage.name} s WHERE s.status = 'differs' AND ${stage.joinTable('s', 't')}`;
}

function isUpdated({ written, isKey, now }: SharedColumn): boolean {
  return written && !isKey && now.identity !== 'always';
}

/** Every row that was to come must be there; triggers may have changed it, and that is counted. */
async function compareResult(now: RowsSession, stage: Stage, update: boolean): Promise<number> {
  const wanted = update ? `s.status <> 'same'` : `s.status = 'missing'`;
  const written = stage.shape.columns.filter((column) => column.written && (column.isKey || isUpdated(column)));
  const [past, after] = [
    image(written.map(({ alias }) => `s.${alias}`)),
    image(written.map(({ name }) => `t.${quoted(name)}`)),
  ];
  const [row] = await now.rows(
    `SELECT count(*) FILTER (WHERE t.tableoid IS NULL) AS absent, count(*) FILTER (WHERE t.tableoid IS NOT NULL AND ${past} <> ${after}) AS altered
       FROM ${stage.name} s LEFT JOIN ${relationOf(stage.table)} t ON ${stage.joinTable('s', 't')} WHERE ${wanted}`,
  );
  if (Number(row?.absent) > 0) {
    throw new Failure(
      'rows_refused',
      `${row?.absent} rows of ${displayName(stage.table)} are not there after they were written: a trigger or rule of the table dropped them.`,
      {
        hint: 'Merge with --no-triggers, or disable the trigger for the time of the merge.',
      },
    );
  }
  return Number(row?.altered ?? 0);
}

/** What the triggers of foreign keys would do: the parents of all rows written stand, and stay until the end. */
async function checkKeys(now: RowsSession, catalog: Catalog, stages: readonly Stage[]): Promise<void> {
  for (const key of catalog.foreignKeys) {
    const stage = stages.find(({ table }) => sameTable(table, key.child));
    const parent = catalog.tables.find((table) => sameTable(table, key.parent));
    if (stage && parent) await checkKey(now, key, stage, relationOf(parent));
  }
}

async function checkKey(now: RowsSession, key: ForeignKey, stage: Stage, parent: string): Promise<void> {
  const child = `${stage.name} s JOIN ${relationOf(stage.table)} t ON ${stage.joinTable('s', 't')}`;
  const pairs = key.parentColumns
    .map((name, at) => `p.${quoted(name)} ${key.operators[at]} t.${quoted(key.childColumns[at]!)}`)
    .join(' AND ');
  const present = key.childColumns.map((name) => `t.${quoted(name)} IS NOT NULL`).join(' AND ');
  await now.run(
    `SELECT 1 FROM ${parent} p WHERE EXISTS (SELECT FROM ${child} WHERE s.status <> 'same' AND ${pairs}) FOR KEY SHARE`,
  );
  const lost = await now.value(
    `SELECT count(*) FROM ${child} WHERE s.status <> 'same' AND ${present} AND NOT EXISTS (SELECT FROM ${parent} p WHERE ${pairs})`,
  );
  if (Number(lost) === 0) return;
  throw new Failure(
    'rows_refused',
    `${lost} rows of ${displayName(key.child)} would violate foreign key "${key.name}".`,
  );
}
