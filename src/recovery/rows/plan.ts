/** What a merge would do, as a plain value: per table how many rows come, change, differ, stand already, and what stands in their way. */

import { quoted } from '../../postgres/quoting.ts';
import { relationOf } from './catalog.ts';
import type { TableName } from './quoting.ts';
import type { RowsSession, SqlRow } from './session.ts';
import type { SharedColumn } from './shape.ts';
import { ROLE, type Stage } from './stage.ts';
import type { Key } from './table.ts';
import { firingTriggers, type Trigger } from './triggers.ts';

/** The same key then and now, with other values. */
export interface Conflict {
  readonly key: Readonly<Record<string, string | null>>;
  readonly columns: readonly { readonly name: string; readonly was: string | null; readonly is: string | null }[];
}

/** A row that cannot come: another row has the value that must be unique. */
export interface Collision {
  readonly key: Readonly<Record<string, string | null>>;
  /** The unique index, its columns and the value taken. */
  readonly index: string;
  readonly value: Readonly<Record<string, string | null>>;
}

export interface TablePlan extends TableName {
  /** Rows looked at, by reason. */
  readonly selected: number;
  readonly related: number;
  readonly parents: number;
  /** Rows that are missing now and come. */
  readonly insert: number;
  /** Rows that differ and will be as they were. */
  readonly update: number;
  /** Rows that differ; without --update they stay as they are. */
  readonly conflicting: number;
  readonly identical: number;
  /** Rows that cannot come; a merge is refused while there are any. */
  readonly blocked: number;
  /** The first of each. */
  readonly conflicts: readonly Conflict[];
  readonly collisions: readonly Collision[];
  readonly columns_new: readonly string[];
  readonly columns_dropped: readonly string[];
  readonly triggers: readonly Trigger[];
  readonly created: boolean;
}

export interface PlanOptions {
  readonly update: boolean;
  /** Conflicts and collisions listed per table. */
  readonly show: number;
  readonly created: ReadonlySet<Stage>;
  /** False: only those fire that always do. */
  readonly triggers: boolean;
}

export async function planTable(now: RowsSession, stage: Stage, options: PlanOptions): Promise<TablePlan> {
  const { table, shape } = stage;
  const counts = await countRows(now, stage);
  const blocked = await findCollisions(now, stage, options);
  const update = options.update ? counts.differs : 0;
  return {
    ...{ schema: table.schema, name: table.name },
    ...{ selected: counts.selected, related: counts.related, parents: counts.parents },
    ...{ insert: counts.missing, update, conflicting: counts.differs, identical: counts.same },
    ...{ blocked: blocked.count, collisions: blocked.first },
    conflicts: counts.differs === 0 ? [] : await firstConflicts(now, stage, options.show),
    columns_new: shape.added,
    columns_dropped: shape.dropped,
    triggers: await firingTriggers(now, table, {
      ...{ insert: counts.missing > 0, update: update > 0 },
      silent: !options.triggers,
    }),
    created: options.created.has(stage),
  };
}

async function countRows(now: RowsSession, stage: Stage) {
  const by = (condition: string, name: string) => `count(*) FILTER (WHERE ${condition}) AS ${name}`;
  const statuses = ['missing', 'same', 'differs'].map((status) => by(`status = '${status}'`, status));
  const roles = [by(`role = ${ROLE.selected}`, 'selected'), by(`role = ${ROLE.related}`, 'related')];
  const [row] = await now.rows(
    `SELECT ${[...statuses, ...roles, by(`role = ${ROLE.parent}`, 'parents')].join(', ')} FROM ${stage.name}`,
  );
  const count = (name: string) => Number(row?.[name] ?? 0);
  return {
    ...{ missing: count('missing'), same: count('same'), differs: count('differs') },
    ...{ selected: count('selected'), related: count('related'), parents: count('parents') },
  };
}

async function firstConflicts(now: RowsSession, stage: Stage, show: number): Promise<readonly Conflict[]> {
  const { columns, keyColumns } = stage.shape;
  const list = columns.flatMap(({ alias, name }) => [`s.${alias} AS t_${alias}`, `t.${quoted(name)} AS n_${alias}`]);
  const rows = await now.rows(
    `SELECT ${list.join(', ')} FROM ${stage.name} s JOIN ${relationOf(stage.table)} t ON ${stage.joinTable('s', 't')}
      WHERE s.status = 'differs' ORDER BY ${keyColumns.map(({ alias }) => `s.${alias}`).join(', ')} LIMIT ${show}`,
  );
  return rows.map((row) => ({
    key: record(row, keyColumns, 't_'),
    columns: columns
      .map(({ name, alias }) => ({ name, was: row[`t_${alias}`] ?? null, is: row[`n_${alias}`] ?? null }))
      .filter(({ was, is }) => was !== is),
  }));
}

/** Rows that come (or change) with a unique value that another row has now. */
async function findCollisions(now: RowsSession, stage: Stage, { update, show }: PlanOptions) {
  const first: Collision[] = [];
  let count = 0;
  for (const index of stage.shape.now.unique) {
    const columns = index.columns.map((name) => stage.shape.columns.find((column) => column.name === name));
    if (!columns.every((column) => column !== undefined)) continue;
    const condition = collision(stage, index, columns, update);
    const found = Number(await now.value(`SELECT count(*) FROM ${stage.name} s WHERE ${condition}`));
    count += found;
    if (found === 0 || first.length >= show) continue;
    const all = stage.shape.columns.map(({ alias }) => `s.${alias} AS t_${alias}`).join(', ');
    const rows = await now.rows(`SELECT ${all} FROM ${stage.name} s WHERE ${condition} LIMIT ${show - first.length}`);
    first.push(
      ...rows.map((row) => ({
        key: record(row, stage.shape.keyColumns, 't_'),
        index: index.name,
        value: record(row, columns, 't_'),
      })),
    );
  }
  return { count, first };
}

function collision(stage: Stage, index: Key, columns: readonly SharedColumn[], update: boolean): string {
  const equal = columns.map(({ alias, name }, at) => `t.${quoted(name)} ${index.operators[at]} s.${alias}`);
  const comes = update ? `s.status <> 'same'` : `s.status = 'missing'`;
  return `${comes} AND EXISTS (SELECT FROM ${relationOf(stage.table)} t WHERE ${equal.join(' AND ')} AND NOT (${stage.joinTable('s', 't')}))`;
}

function record(row: SqlRow, columns: readonly SharedColumn[], prefix: string): Record<string, string | null> {
  return Object.fromEntries(columns.map(({ name, alias }) => [name, row[`${prefix}${alias}`] ?? null]));
}
