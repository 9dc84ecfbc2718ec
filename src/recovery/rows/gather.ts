/**
 * Collects everything that has to come back: the rows asked for, the rows they need (parents that are missing now), and on request the rows
 * that referenced them (children, and theirs). Foreign keys are followed until nothing is new, so cycles and self-references end.
 */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { type Catalog, type ForeignKey, findTable, refuseHidden, relationOf, type TableEntry } from './catalog.ts';
import { displayName, sameTable, type TableName, typedLiteral } from './quoting.ts';
import { checkReadable, doneReading, selectRows } from './read.ts';
import type { RowsSession, SqlRow } from './session.ts';
import { matchShapes, type SharedColumn } from './shape.ts';
import { ROLE, type Role, Stage } from './stage.ts';
import { describeTable } from './table.ts';

export interface GatherOptions {
  readonly where: string | undefined;
  readonly related: boolean;
  readonly update: boolean;
  /** Told of each table that is looked into. */
  readonly onTable?: (table: TableName) => void;
}

export interface Sides {
  readonly past: RowsSession;
  readonly now: RowsSession;
  readonly pastCatalog: Catalog;
  readonly nowCatalog: Catalog;
}

/** One foreign key as each side has it; where only one has it, both are that one. */
interface Link {
  readonly past: ForeignKey;
  readonly now: ForeignKey;
}

/** Keys asked for in one statement. */
const BATCH = 500;

export class Gathering {
  readonly stages: Stage[] = [];
  readonly notes: string[] = [];
  readonly #sides: Sides;
  readonly #options: GatherOptions;
  readonly #links: readonly Link[];
  #round = 0;

  constructor(sides: Sides, options: GatherOptions) {
    this.#sides = sides;
    this.#options = options;
    this.#links = links(sides);
  }

  async collect(selected: readonly TableEntry[]): Promise<void> {
    const { past } = this.#sides;
    for (const table of selected) {
      const stage = await this.#stage(table.root);
      const columns = stage.shape.columns.map(({ name }) => name);
      await checkReadable(past, table, columns, this.#options.where);
      await stage.load(past.copyOut(selectRows(table, columns, this.#options.where)), ROLE.selected);
      await doneReading(past);
    }
    for (let more = true; more; ) more = await this.#follow();
    await this.#refuseOrphans();
  }

  /** One pass over all tables; true when something new came. */
  async #follow(): Promise<boolean> {
    let added = 0;
    for (const stage of [...this.stages]) {
      added += await this.#parents(stage);
      if (this.#options.related) added += await this.#children(stage);
    }
    return added > 0;
  }

  async #parents(stage: Stage): Promise<number> {
    const { now } = this.#sides;
    const round = ++this.#round;
    const marked = await now.run(`UPDATE ${stage.name} SET up = ${round} WHERE up = 0 AND ${this.#comes('')}`);
    if (marked === 0) return 0;
    let added = 0;
    for (const link of this.#links.filter(({ now: key }) => sameTable(key.child, stage.table))) {
      const parent = findTable(this.#sides.nowCatalog, link.now.parent);
      const columns = this.#columns(stage, link.now.childColumns);
      if (parent === undefined || columns === undefined) continue;
      const wanted = `SELECT DISTINCT ${aliases(columns)} FROM ${stage.name} s WHERE s.up = ${round} AND ${present(columns)}
         AND NOT EXISTS (SELECT FROM ${relationOf(parent)} p WHERE ${matches(link.now, columns)})`;
      added += await this.#fetch(wanted, link.past.parent, ROLE.parent, (values) =>
        condition(link.past, link.past.parentColumns, columns, values, 'parent'),
      );
    }
    return added;
  }

  async #children(stage: Stage): Promise<number> {
    const round = ++this.#round;
    const marked = await this.#sides.now.run(
      `UPDATE ${stage.name} SET down = ${round} WHERE down = 0 AND role <= ${ROLE.related}`,
    );
    if (marked === 0) return 0;
    let added = 0;
    for (const link of this.#links.filter(({ past: key }) => sameTable(key.parent, stage.table))) {
      const columns = this.#columns(stage, link.past.parentColumns);
      if (columns === undefined || !this.#mayFollow(link.past.child)) continue;
      const wanted = `SELECT DISTINCT ${aliases(columns)} FROM ${stage.name} s WHERE s.down = ${round} AND ${present(columns)}`;
      added += await this.#fetch(wanted, link.past.child, ROLE.related, (values) =>
        condition(link.past, link.past.childColumns, columns, values, 'child'),
      );
    }
    return added;
  }

  /** Rows of `table` then that match one of the keys that `wanted` (asked of now) yields, staged. Returns how many are new. */
  async #fetch(
    wanted: string,
    table: TableName,
    role: Role,
    join: (values: readonly SqlRow[]) => string,
  ): Promise<number> {
    const { now, past } = this.#sides;
    const cursor = `hf_wanted_${this.#round}`;
    let added = 0;
    await now.run(`DECLARE ${cursor} NO SCROLL CURSOR FOR ${wanted}`);
    for (;;) {
      const values = await now.rows(`FETCH ${BATCH} FROM ${cursor}`);
      if (values.length > 0) {
        const stage = await this.#stage(table);
        const source = stage.shape.past.table;
        const columns = stage.shape.columns.map(({ name }) => `t.${quoted(name)}`).join(', ');
        const query = `SELECT ${columns} FROM ${relationOf(source)} t ${join(values)}`;
        added += await stage.load(past.copyOut(query), role);
      }
      if (values.length < BATCH) break;
    }
    await now.run(`CLOSE ${cursor}`);
    return added;
  }

  /** The stage of a table, made when it is first needed. */
  async #stage(name: TableName): Promise<Stage> {
    const known = this.stages.find(({ table }) => sameTable(table, name));
    if (known) return known;
    const { past, now, pastCatalog, nowCatalog } = this.#sides;
    const [before, after] = [findTable(pastCatalog, name), findTable(nowCatalog, name)];
    if (before === undefined || after === undefined) {
      throw new Failure('table_unknown', `There is no table ${displayName(name)} ${before ? 'now' : 'then'}.`);
    }
    this.#options.onTable?.(name);
    refuseHidden(before, past.settings.user, 'as they were');
    refuseHidden(after, now.settings.user, 'that stand now');
    if (after.hasChildren)
      this.notes.push(`${displayName(name)} has child tables; their rows have to be named themselves.`);
    const shape = await matchShapes(await describeTable(past, before), await describeTable(now, after), now);
    const stage = await Stage.create(now, shape, this.stages.length + 1);
    this.stages.push(stage);
    return stage;
  }

  /** Whether rows of this child table can be brought; when not, that is said once. */
  #mayFollow(child: TableName): boolean {
    if (findTable(this.#sides.nowCatalog, child)) return true;
    const note = `Rows of ${displayName(child)} referenced what comes back; that table does not exist now.`;
    if (!this.notes.includes(note)) this.notes.push(note);
    return false;
  }

  /** A parent that is neither then nor now would only show when the first row is refused. */
  async #refuseOrphans(): Promise<void> {
    for (const key of this.#sides.nowCatalog.foreignKeys) {
      const stage = this.stages.find(({ table }) => sameTable(table, key.child));
      const parent = findTable(this.#sides.nowCatalog, key.parent);
      const columns = stage && this.#columns(stage, key.childColumns);
      if (!stage || !parent || !columns) continue;
      const orphan = await this.#sides.now.value(
        `SELECT ROW(${aliases(columns)})::text FROM ${stage.name} s WHERE ${this.#comes('s.')} AND ${present(columns)}
            AND NOT EXISTS (SELECT FROM ${relationOf(parent)} p WHERE ${matches(key, columns)})
            AND NOT ${this.#staged(key, columns)} LIMIT 1`,
      );
      if (orphan === null) continue;
      const what = `${key.childColumns.join(', ')} = ${orphan}`;
      throw new Failure(
        'rows_refused',
        `Rows of ${displayName(key.child)} reference a row of ${displayName(key.parent)} that is not there now and does not come: ${what}.`,
        {
          hint: 'Bring that row back first, from a moment when it was so; --update changes rows that differ; --where narrows the rows.',
        },
      );
    }
  }

  /** Whether the parent of a staged row comes with it. */
  #staged(key: ForeignKey, columns: readonly SharedColumn[]): string {
    const stage = this.stages.find(({ table }) => sameTable(table, key.parent));
    const parents = stage && this.#columns(stage, key.parentColumns);
    if (!stage || !parents) return 'false';
    const pairs = parents.map(({ alias }, at) => `p.${alias} ${key.operators[at]} s.${columns[at]!.alias}`);
    return `EXISTS (SELECT FROM ${stage.name} p WHERE ${this.#comes('p.')} AND ${pairs.join(' AND ')})`;
  }

  /** Condition: the row will be written. */
  #comes(prefix: string): string {
    return this.#options.update ? `${prefix}status <> 'same'` : `${prefix}status = 'missing'`;
  }

  #columns(stage: Stage, names: readonly string[]): readonly SharedColumn[] | undefined {
    const found = names.map((name) => stage.shape.columns.find((column) => column.name === name));
    return found.every((column) => column !== undefined) ? (found as SharedColumn[]) : undefined;
  }
}

/** Foreign keys of both sides, paired by what they connect. */
function links({ pastCatalog, nowCatalog }: Sides): readonly Link[] {
  const id = (key: ForeignKey) => JSON.stringify([key.child, key.childColumns, key.parent, key.parentColumns]);
  const before = new Map(pastCatalog.foreignKeys.map((key) => [id(key), key]));
  const after = new Map(nowCatalog.foreignKeys.map((key) => [id(key), key]));
  return [...new Set([...before.keys(), ...after.keys()])].map((each) => ({
    past: before.get(each) ?? after.get(each)!,
    now: after.get(each) ?? before.get(each)!,
  }));
}

function aliases(columns: readonly SharedColumn[]): string {
  return columns.map(({ alias }) => `s.${alias}`).join(', ');
}

/** A key with a NULL in it references nothing. */
function present(columns: readonly SharedColumn[]): string {
  return columns.map(({ alias }) => `s.${alias} IS NOT NULL`).join(' AND ');
}

/** `p` (the parent table now) is what the staged row references. */
function matches(key: ForeignKey, columns: readonly SharedColumn[]): string {
  return key.parentColumns
    .map((name, at) => `p.${quoted(name)} ${key.operators[at]} s.${columns[at]!.alias}`)
    .join(' AND ');
}

/** Joins table `t` of then with the values found now; `side` says which end of the key `t` is. The operators are written parent first. */
function condition(
  key: ForeignKey,
  names: readonly string[],
  columns: readonly SharedColumn[],
  values: readonly SqlRow[],
  side: 'parent' | 'child',
): string {
  const rows = values.map(
    (row) => `(${columns.map(({ alias, past }) => typedLiteral(row[alias]!, past.type)).join(', ')})`,
  );
  const pairs = names.map((name, at) => {
    const [table, value] = [`t.${quoted(name)}`, `w.k${at}`];
    return side === 'parent' ? `${table} ${key.operators[at]} ${value}` : `${value} ${key.operators[at]} ${table}`;
  });
  return `JOIN (VALUES ${rows.join(', ')}) w (${names.map((_, at) => `k${at}`).join(', ')}) ON ${pairs.join(' AND ')}`;
}
