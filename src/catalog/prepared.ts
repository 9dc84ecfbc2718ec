/**
 * Statements of the busiest paths: built and compiled once for each database, and asked again and again with other values. Building one
 * takes longer than SQLite takes to carry it out.
 */
import type { Compilable, CompiledQuery } from 'kysely';
import { type CatalogDb, onPostgres } from './database.ts';
import { directReads } from './direct-reads.ts';

/** Stands in the statement for a value that comes with each execution; `at`: which one of a list. */
class Hole {
  readonly name: string;
  readonly at: number | undefined;

  constructor(name: string, at?: number) {
    this.name = name;
    this.at = at;
  }

  in(values: Values): unknown {
    const value = values[this.name];
    return this.at === undefined ? value : (value as readonly unknown[])[this.at];
  }
}

type Values = Readonly<Record<string, unknown>>;

/** Where the value of that name goes. */
export type Holes<V> = <K extends keyof V & string>(name: K) => V[K];

/** What a statement answered. */
export interface Answered<R> {
  readonly rows: R[];
  /** Of one that changes something. */
  readonly numAffectedRows?: bigint;
}

export type Prepared<V, R> = (db: CatalogDb, values: V) => Promise<Answered<R>>;

/** `build` must make the same statement each time; a value of the list kind has no place in it. */
export function prepared<V extends object, R>(
  build: (db: CatalogDb, holes: Holes<V>) => Compilable<R>,
): Prepared<V, R> {
  const compiled: { sqlite?: CompiledQuery<R>; postgres?: CompiledQuery<R> } = {};
  return (db, values) => {
    const dialect = onPostgres(db) ? 'postgres' : 'sqlite';
    compiled[dialect] ??= build(db, ((name: string) => new Hole(name)) as unknown as Holes<V>).compile();
    return execute(db, compiled[dialect], values as Values);
  };
}

/** Forms of one statement that are kept: most are asked for in a few. */
const KEPT_FORMS = 100;

/**
 * The same for a statement whose form follows from which values there are, and how long lists are: a list with its filters. `build` may look at
 * nothing of a value but whether it is there; whatever is worked out of one is worked out before.
 */
export function preparedForms<V extends object, R>(build: (db: CatalogDb, values: V) => Compilable<R>): Prepared<V, R> {
  const compiled = new Map<string, CompiledQuery<R>>();
  return (db, values) => {
    const form = formOf(db, values as Values);
    let statement = compiled.get(form);
    if (statement === undefined) {
      statement = build(db, withHoles(values as Values) as V).compile();
      if (compiled.size >= KEPT_FORMS) compiled.delete(compiled.keys().next().value!);
      compiled.set(form, statement);
    }
    return execute(db, statement, values as Values);
  };
}

function execute<R>(db: CatalogDb, statement: CompiledQuery<R>, values: Values): Promise<Answered<R>> {
  const parameters = statement.parameters.map((each) => (each instanceof Hole ? each.in(values) : each));
  const direct = statement.query.kind === 'SelectQueryNode' ? directReads(db) : undefined;
  return direct === undefined ? db.executeQuery({ ...statement, parameters }) : direct.read(statement.sql, parameters);
}

function formOf(db: CatalogDb, values: Values): string {
  let form = onPostgres(db) ? 'postgres' : 'sqlite';
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) form += Array.isArray(value) ? ` ${name}:${value.length}` : ` ${name}`;
  }
  return form;
}

function withHoles(values: Values): Record<string, unknown> {
  const holes: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    if (Array.isArray(value)) holes[name] = value.map((_, at) => new Hole(name, at));
    else if (value !== undefined) holes[name] = new Hole(name);
  }
  return holes;
}
