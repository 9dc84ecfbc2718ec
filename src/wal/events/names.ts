/** Files become relations with names, where somebody knows them; what belongs to a table (indexes, TOAST) is told with the table. */
import type { RelationLocator } from '../../postgres/wal-records.ts';
import type { LearnedCatalog } from './catalog.ts';
import type { ChangeKind, RawChange } from './judge.ts';

export interface NamedRelation {
  /** `schema.name`. */
  readonly name: string;
  /** relkind: `r` table, `i` index, `t` TOAST, `S` sequence … */
  readonly kind: string;
}

/** What somebody outside knows of relations and databases. */
export interface RelationNames {
  byFile(locator: RelationLocator): NamedRelation | undefined;
  byOid(database: number, oid: number): NamedRelation | undefined;
  database(oid: number): string | undefined;
}

export interface WalChange {
  readonly kind: ChangeKind;
  /** Object id. */
  readonly database: number;
  readonly databaseName: string | undefined;
  /** `schema.name` of the relation; undefined where nobody knows it. */
  readonly relation: string | undefined;
  /** Where its rows were; undefined for a database. */
  readonly file: RelationLocator | undefined;
  readonly rows: number | undefined;
  /** Files of relations that nobody can name, of one kind together: tables, their indexes, their TOAST. */
  readonly files: number | undefined;
}

/** Belong to a table; dropped, emptied or built anew by themselves they lose no rows. */
const PARTS = new Set(['i', 'I', 't', 'S']);
const TOAST = /^pg_toast\.pg_toast_(\d{1,10})(?:_index)?$/;

/** `rewritten`: object ids of tables whose stand-ins were seen. */
export function nameChanges(
  changes: readonly RawChange[],
  rewritten: readonly number[],
  catalog: LearnedCatalog,
  names: RelationNames | undefined,
): WalChange[] {
  const told: WalChange[] = [];
  const unnamed = new Map<string, WalChange>();
  for (const change of changes) {
    const relation = relationOf(change.locator, catalog, names);
    if (relation !== undefined && PARTS.has(relation.kind)) continue;
    const named = asChange(change, relation?.name, names);
    const key = `${change.kind} ${change.database}`;
    const together = unnamed.get(key);
    if (change.locator === undefined || change.rows !== undefined || relation !== undefined) told.push(named);
    else unnamed.set(key, { ...(together ?? named), files: (together?.files ?? 0) + 1 });
  }
  return [
    ...told,
    ...[...unnamed.values()].flatMap((change) => rewrittenTables(change, told, rewritten, catalog, names)),
  ];
}

function asChange(
  { kind, database, locator, rows }: RawChange,
  relation: string | undefined,
  names?: RelationNames,
): WalChange {
  return { kind, database, databaseName: names?.database(database), relation, file: locator, rows, files: undefined };
}

/** A rewritten table whose old file nobody knows is known by the object id that its stand-in was named after. */
function rewrittenTables(
  unnamed: WalChange,
  told: readonly WalChange[],
  rewritten: readonly number[],
  catalog: LearnedCatalog,
  names: RelationNames | undefined,
): WalChange[] {
  if (unnamed.kind !== 'rewrite') return [unnamed];
  const tables = rewritten.map((oid) => {
    const learned = catalog.byOid(unnamed.database, oid);
    return names?.byOid(unnamed.database, oid) ?? (learned && { name: catalog.nameOf(learned), kind: learned.kind });
  });
  const missing = tables.filter(
    (table) => table && !PARTS.has(table.kind) && !told.some(({ relation }) => relation === table.name),
  );
  return missing.length === 0
    ? [unnamed]
    : missing.map((table) => ({ ...unnamed, relation: table!.name, files: undefined }));
}

function relationOf(
  locator: RelationLocator | undefined,
  catalog: LearnedCatalog,
  names: RelationNames | undefined,
): NamedRelation | undefined {
  if (locator === undefined) return undefined;
  const told = names?.byFile(locator);
  const learned = told === undefined ? catalog.byFile(locator.database, locator.relation) : undefined;
  const found = told ?? (learned && { name: catalog.nameOf(learned), kind: learned.kind });
  return found && TOAST.test(found.name) ? { ...found, kind: 't' } : found;
}
