/**
 * The script that undoes one merge, and nothing else. It carries the rows as the merge left them: where one was changed or removed since, or
 * where something refers to a row that would go, it raises an error and changes nothing. Plain SQL, for psql or any other client.
 */
import { printable } from '../../base/printable.ts';
import { quoted } from '../../postgres/quoting.ts';
import { type Applied, beforeTable, ownColumns } from './apply.ts';
import { type Catalog, type ForeignKey, findTable, relationOf } from './catalog.ts';
import { displayName, literal, quotedTable, sameTable } from './quoting.ts';
import type { MovedSequence } from './sequences.ts';
import { EXACT_SETTINGS, type RowsSession } from './session.ts';
import { image, type Stage } from './stage.ts';

export interface Reversal {
  readonly catalog: Catalog;
  readonly applied: Applied;
  readonly sequences: readonly MovedSequence[];
  readonly triggers: boolean;
  /** Tables that the merge created: undone by dropping them, when nothing else has come into them. */
  readonly created: ReadonlySet<Stage>;
  readonly update: boolean;
  /** For the first lines: which merge this was. */
  readonly title: readonly string[];
}

const ROWS_PER_INSERT = 200;

/** The script, piece by piece; reads the rows from the open transaction, so it must be written before the commit. */
export async function* reversalScript(now: RowsSession, reversal: Reversal): AsyncGenerator<string, void, undefined> {
  const stages = reversal.applied.groups.flat();
  yield head(reversal);
  if (stages.length > 0) yield lock(reversal, stages);
  for (const [at, stage] of stages.entries()) yield* rowsOf(now, stage, at, reversal.update);
  const body = [
    ...stages.flatMap((stage, at) => unchanged(stage, at, reversal.update)),
    ...unreferenced(reversal, stages),
  ];
  if (body.length > 0) yield `\n${block(body)}`;
  for (const group of reversal.applied.groups.toReversed()) yield undoGroup(group, stages, reversal.update);
  for (const sequence of reversal.sequences) yield backwards(sequence);
  yield dropped([...reversal.created]);
  yield '\nCOMMIT;\n';
}

function head({ title, triggers }: Reversal): string {
  const settings = Object.entries(EXACT_SETTINGS).map(([name, value]) => `SET LOCAL ${name} = '${value}';`);
  const replica = 'SET LOCAL session_replication_role = replica;';
  return [
    ...title.map((line) => `-- ${printable(line)}`),
    '-- If a row was changed since, or something refers to a row that would go, this raises an error and changes nothing.',
    '-- What triggers of the application did elsewhere is not undone.',
    '',
    'BEGIN;',
    ...settings,
    triggers ? `-- Triggers fire here too. To keep them silent (superuser): ${replica}` : replica,
    '',
  ].join('\n');
}

function lock({ catalog }: Reversal, stages: readonly Stage[]): string {
  const referring = catalog.foreignKeys.filter(({ parent }) => stages.some(({ table }) => sameTable(table, parent)));
  const names = new Set([
    ...stages.map(({ table }) => quotedTable(table)),
    ...referring.map(({ child }) => quotedTable(child)),
  ]);
  return `LOCK TABLE ${[...names].sort().join(', ')} IN SHARE ROW EXCLUSIVE MODE;\n`;
}

/** Enough to tell whether a row still is what the merge left; a photo of some MiB need not be in the script for that. */
function fingerprint(stage: Stage): string {
  return `encode(sha256(convert_to(${image(ownColumns(stage).map((name) => `t.${quoted(name)}`))}, 'UTF8')), 'hex')`;
}

/** Temporary tables: `undo_N_new` with the keys of inserted rows, `undo_N_old` with keys and values of updated ones, both with the image that the merge left. */
async function* rowsOf(now: RowsSession, stage: Stage, at: number, update: boolean): AsyncGenerator<string> {
  const { keyColumns } = stage.shape;
  const relation = relationOf(stage.table);
  const keys = keyColumns.map(({ name }, k) => `t.${quoted(name)} AS k${k + 1}`).join(', ');
  const left = fingerprint(stage);
  const join = `${stage.name} s JOIN ${relation} t ON ${stage.joinTable('s', 't')}`;
  yield `\n-- ${printable(displayName(stage.table))}\n`;
  yield `CREATE TEMP TABLE undo_${at}_new ON COMMIT DROP AS SELECT ${keys}, ''::text AS image FROM ${relation} t WITH NO DATA;\n`;
  yield* inserts(now, `undo_${at}_new`, `SELECT ${keys}, ${left} FROM ${join} WHERE s.status = 'missing'`);
  if (!update) return;
  const own = ownColumns(stage);
  const old = own.map((name, o) => `t.${quoted(name)} AS o${o + 1}`).join(', ');
  yield `CREATE TEMP TABLE undo_${at}_old ON COMMIT DROP AS SELECT ${keys}, ''::text AS image, ${old} FROM ${relation} t WITH NO DATA;\n`;
  const kept = own.map((_, o) => `b.o${o + 1}`).join(', ');
  const before = keyColumns
    .map(({ name }, k) => `t.${quoted(name)} ${stage.shape.key.operators[k]} b.k${k + 1}`)
    .join(' AND ');
  yield* inserts(
    now,
    `undo_${at}_old`,
    `SELECT ${keys}, ${left}, ${kept} FROM ${join} JOIN ${beforeTable(stage)} b ON ${before} WHERE s.status = 'differs'`,
  );
}

async function* inserts(now: RowsSession, table: string, query: string): AsyncGenerator<string> {
  let rows: string[] = [];
  const statement = () => `INSERT INTO pg_temp.${table} VALUES\n${rows.join(',\n')};\n`;
  for await (const row of now.stream(query)) {
    rows.push(`(${row.map((value) => (value === null ? 'NULL' : literal(value))).join(', ')})`);
    if (rows.length < ROWS_PER_INSERT) continue;
    yield statement();
    rows = [];
  }
  if (rows.length > 0) yield statement();
}

/** Statements of a DO block. */
function unchanged(stage: Stage, at: number, update: boolean): string[] {
  const name = displayName(stage.table);
  return [`undo_${at}_new`, ...(update ? [`undo_${at}_old`] : [])].map((table) =>
    refusal(
      `pg_temp.${table} u WHERE NOT EXISTS (SELECT FROM ${relationOf(stage.table)} t WHERE ${matchUndo(stage, 'u')} AND ${fingerprint(stage)} = u.image)`,
      `rows of ${name} were changed or removed since the merge; nothing was undone`,
    ),
  );
}

/** Nothing may refer to a row that goes, unless it goes too. */
function unreferenced({ catalog, update }: Reversal, stages: readonly Stage[]): string[] {
  return catalog.foreignKeys.flatMap((key) => {
    const parent = stages.findIndex(({ table }) => sameTable(table, key.parent));
    const child = findTable(catalog, key.child);
    if (parent === -1 || !child) return [];
    const own = stages.findIndex(({ table }) => sameTable(table, key.child));
    const going = own === -1 ? [] : [`undo_${own}_new`, ...(update ? [`undo_${own}_old`] : [])];
    const except = going.map(
      (table) => ` AND NOT EXISTS (SELECT FROM pg_temp.${table} u WHERE ${matchUndo(stages[own]!, 'u', 'c')})`,
    );
    return [
      refusal(
        `${relationOf(child)} c WHERE EXISTS (SELECT FROM pg_temp.undo_${parent}_new u JOIN ${relationOf(stages[parent]!.table)} t
           ON ${matchUndo(stages[parent]!, 'u')} WHERE ${pairs(key)})${except.join('')}`,
        `rows of ${displayName(key.child)} refer to rows that would go; nothing was undone`,
      ),
    ];
  });
}

function pairs(key: ForeignKey): string {
  return key.parentColumns
    .map((name, at) => `t.${quoted(name)} ${key.operators[at]} c.${quoted(key.childColumns[at]!)}`)
    .join(' AND ');
}

function matchUndo(stage: Stage, undo: string, table = 't'): string {
  const { key } = stage.shape;
  return key.columns
    .map((name, at) => `${table}.${quoted(name)} ${key.operators[at]} ${undo}.k${at + 1}`)
    .join(' AND ');
}

function refusal(from: string, message: string): string {
  return `SELECT count(*) INTO n FROM ${from};\n  IF n > 0 THEN RAISE EXCEPTION USING MESSAGE = n || ${literal(` ${message}`)}; END IF;`;
}

function block(statements: readonly string[]): string {
  const body = `DECLARE n bigint;\nBEGIN\n  ${statements.join('\n  ')}\nEND`;
  let tag = '$undo$';
  for (let at = 1; body.includes(tag); at++) tag = `$undo${at}$`;
  return `DO ${tag}\n${body}\n${tag};\n`;
}

function undoGroup(group: readonly Stage[], stages: readonly Stage[], update: boolean): string {
  const parts = group.flatMap((stage) => {
    const at = stages.indexOf(stage);
    const gone = `d${at} AS (DELETE FROM ${relationOf(stage.table)} t USING pg_temp.undo_${at}_new u WHERE ${matchUndo(stage, 'u')})`;
    const back = update ? undoUpdate(stage, at) : undefined;
    return back === undefined ? [gone] : [gone, back];
  });
  return `WITH ${parts.join(',\n  ')}\nSELECT;\n`;
}

function undoUpdate(stage: Stage, at: number): string | undefined {
  const { shape } = stage;
  const set = ownColumns(stage).flatMap((name, o) => {
    const column = shape.now.columns.find((each) => each.name === name)!;
    return shape.key.columns.includes(name) || column.identity === 'always' ? [] : [`${quoted(name)} = u.o${o + 1}`];
  });
  if (set.length === 0) return undefined;
  return `u${at} AS (UPDATE ${relationOf(stage.table)} t SET ${set.join(', ')} FROM pg_temp.undo_${at}_old u WHERE ${matchUndo(stage, 'u')})`;
}

/** In one statement, because they may refer to each other. */
function dropped(created: readonly Stage[]): string {
  if (created.length === 0) return '';
  const left = created.map(({ table }) =>
    refusal(relationOf(table), `rows came into ${displayName(table)} since; nothing was undone`),
  );
  return `${block(left)}DROP TABLE ${created.map(({ table }) => quotedTable(table)).join(', ')};\n`;
}

/** Back only when nobody has drawn from it since. */
function backwards({ sequence, before, after }: MovedSequence): string {
  return `SELECT setval(${literal(sequence)}, ${before.value}, ${before.called}) FROM ${sequence} WHERE last_value = ${after} AND is_called;\n`;
}
