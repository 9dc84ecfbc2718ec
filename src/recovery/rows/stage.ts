/**
 * The rows of one table on their way from then to now: a temporary table beside the real one, with the types of now, filled by COPY. There
 * each row is compared with what stands now by the server itself, so that any number of rows takes no memory here.
 */
import { Failure } from '../../base/failure.ts';
import { quoted } from '../../postgres/quoting.ts';
import { relationOf, type TableEntry } from './catalog.ts';
import { displayName } from './quoting.ts';
import type { RowsSession } from './session.ts';
import type { Shape } from './shape.ts';

/** Why a row is here: asked for, referencing one that was asked for, or referenced by one that comes. The lower wins. */
export const ROLE = { selected: 1, related: 2, parent: 3 } as const;
export type Role = (typeof ROLE)[keyof typeof ROLE];

export class Stage {
  readonly shape: Shape;
  /** The temporary table: the shared columns by alias, and `role`, `status` (missing, same, differs), `up` and `down` (rounds in which parents and children were looked for; 0: not yet). */
  readonly name: string;
  readonly #incoming: string;
  readonly #now: RowsSession;

  private constructor(now: RowsSession, shape: Shape, number: number) {
    this.shape = shape;
    this.name = `pg_temp.hf_${number}`;
    this.#incoming = `pg_temp.hf_${number}_in`;
    this.#now = now;
  }

  static async create(now: RowsSession, shape: Shape, number: number): Promise<Stage> {
    const stage = new Stage(now, shape, number);
    const columns = shape.columns.map(({ name, alias }) => `${quoted(name)} AS ${alias}`).join(', ');
    const from = `FROM ${relationOf(shape.now.table)} WITH NO DATA`;
    await now.run(
      `CREATE TEMP TABLE ${stage.#incoming} ON COMMIT DROP AS SELECT ${columns} ${from};
       CREATE TEMP TABLE ${stage.name} ON COMMIT DROP AS
         SELECT ${columns}, 0::int2 AS role, ''::text AS status, 0 AS up, 0 AS down ${from};
       CREATE INDEX ON ${stage.name} (${shape.keyColumns.map(({ alias }) => alias).join(', ')});
       CREATE INDEX ON ${stage.name} (status); CREATE INDEX ON ${stage.name} (up); CREATE INDEX ON ${stage.name} (down)`,
    );
    return stage;
  }

  /** The table now, as a merge names it. */
  get table(): TableEntry {
    return this.shape.now.table;
  }

  /** Takes rows: COPY data of the shared columns in their order. Returns how many were not here yet, or only for a lesser reason. */
  async load(rows: AsyncIterable<Buffer>, role: Role): Promise<number> {
    const { columns } = this.shape;
    const aliases = columns.map(({ alias }) => alias).join(', ');
    await this.#now.copyIn(`${this.#incoming} (${aliases})`, rows);
    await this.#refuseTwins();
    const raised = await this.#now.run(
      `UPDATE ${this.name} s SET role = ${role} FROM ${this.#incoming} i WHERE ${this.#same('s', 'i')} AND s.role > ${role}`,
    );
    const added = await this.#now.run(
      `INSERT INTO ${this.name} SELECT ${columns.map(({ alias }) => `i.${alias}`).join(', ')}, ${role},
         CASE WHEN t.tableoid IS NULL THEN 'missing' WHEN ${this.image('i')} = ${this.tableImage('t')} THEN 'same' ELSE 'differs' END, 0, 0
         FROM ${this.#incoming} i LEFT JOIN ${relationOf(this.table)} t ON ${this.joinTable('i', 't')}
        WHERE NOT EXISTS (SELECT FROM ${this.name} s WHERE ${this.#same('s', 'i')})`,
    );
    await this.#now.run(`TRUNCATE ${this.#incoming}; ANALYZE ${this.name}`);
    return added + raised;
  }

  /** `left` (aliases) has the key of `right` (the real table). */
  joinTable(left: string, right: string): string {
    const { key, keyColumns } = this.shape;
    return keyColumns
      .map(({ alias, name }, at) => `${right}.${quoted(name)} ${key.operators[at]} ${left}.${alias}`)
      .join(' AND ');
  }

  /** The whole row as text: equal when every value prints the same and NULLs are the same. */
  image(relation: string): string {
    return image(this.shape.columns.map(({ alias }) => `${relation}.${alias}`));
  }

  /** The same of a row of the real table. */
  tableImage(relation: string): string {
    return image(this.shape.columns.map(({ name }) => `${relation}.${quoted(name)}`));
  }

  #same(left: string, right: string): string {
    const { key, keyColumns } = this.shape;
    return keyColumns.map(({ alias }, at) => `${left}.${alias} ${key.operators[at]} ${right}.${alias}`).join(' AND ');
  }

  /** The key of now may not have been one then. */
  async #refuseTwins(): Promise<void> {
    const key = this.shape.keyColumns.map(({ alias }) => alias).join(', ');
    const twins = await this.#now.value(
      `SELECT ROW(${key})::text FROM ${this.#incoming} GROUP BY ${key} HAVING count(*) > 1 LIMIT 1`,
    );
    if (twins === null) return;
    const names = this.shape.key.columns.join(', ');
    throw new Failure(
      'rows_refused',
      `Several rows of ${displayName(this.table)} had the same ${names} then: ${twins}.`,
      {
        hint: 'Export the rows with --to FILE.csv, or narrow them with --where.',
      },
    );
  }
}

/** `ROW(…)::text` goes through the output functions of the types, whatever casts to text exist, and tells NULL from an empty value. */
export function image(expressions: readonly string[]): string {
  return `ROW(${expressions.join(', ')})::text COLLATE "C"`;
}
