/**
 * Statements of the busiest paths: built and compiled once for each database, and asked again and again with other values. Building one
 * takes longer than SQLite takes to carry it out.
 */
import type { Compilable, CompiledQuery, QueryResult } from 'kysely';
import { type CatalogDb, onPostgres } from './database.ts';

/** Stands in the statement for a value that comes with each execution. */
class Hole {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

/** Where the value of that name goes. */
export type Holes<V> = <K extends keyof V & string>(name: K) => V[K];

export type Prepared<V, R> = (db: CatalogDb, values: V) => Promise<QueryResult<R>>;

/** `build` must make the same statement each time; a value of the list kind has no place in it. */
export function prepared<V extends object, R>(
  build: (db: CatalogDb, holes: Holes<V>) => Compilable<R>,
): Prepared<V, R> {
  const compiled: { sqlite?: CompiledQuery<R>; postgres?: CompiledQuery<R> } = {};
  return (db, values) => {
    const dialect = onPostgres(db) ? 'postgres' : 'sqlite';
    compiled[dialect] ??= build(db, ((name: string) => new Hole(name)) as unknown as Holes<V>).compile();
    const statement = compiled[dialect];
    const parameters = statement.parameters.map((each) =>
      each instanceof Hole ? (values as Record<string, unknown>)[each.name] : each,
    );
    return db.executeQuery({ ...statement, parameters });
  };
}
