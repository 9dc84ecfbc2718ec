/** Which tables are meant. Names are compared with what is there, never parsed: a table may be called anything. */
import { Failure } from '../../base/failure.ts';
import { nearest } from '../../base/suggest.ts';
import { quoted } from '../../postgres/quoting.ts';
import type { Catalog, TableEntry } from './catalog.ts';
import { displayName, quotedTable } from './quoting.ts';

export interface SelectionRequest {
  /** As the operator wrote them: `t`, `schema.t`, or as in SQL, with quotes. */
  readonly tables: readonly string[];
  readonly schemas: readonly string[];
}

/** The tables asked for, each once; of a schema all tables but partitions, whose rows come with their table. Throws `table_unknown`. */
export function selectTables(catalog: Catalog, { tables, schemas }: SelectionRequest): readonly TableEntry[] {
  const chosen = new Set<TableEntry>();
  for (const text of tables) chosen.add(oneTable(catalog, text));
  for (const schema of schemas) for (const table of wholeSchema(catalog, schema)) chosen.add(table);
  return [...chosen];
}

function oneTable(catalog: Catalog, text: string): TableEntry {
  const matches = matching(catalog.tables, text);
  const inPublic = matches.filter(({ schema }) => schema === 'public');
  const found = matches.length === 1 ? matches[0] : inPublic.length === 1 ? inPublic[0] : undefined;
  if (found) return found;
  if (matches.length > 1) {
    throw new Failure('usage', `Several tables are called "${text}".`, {
      hint: `Write one of ${matches.map(displayName).join(', ')}.`,
    });
  }
  throw unknownTable(catalog, text);
}

/** The exact name first, with and without schema; then as SQL writes it; then folded to lower case, as SQL folds what has no quotes. */
function matching(tables: readonly TableEntry[], text: string): readonly TableEntry[] {
  const forms = [
    (table: TableEntry) => `${table.schema}.${table.name}` === text,
    (table: TableEntry) => table.name === text,
    (table: TableEntry) => [displayName(table), quotedTable(table), quoted(table.name)].includes(text),
    (table: TableEntry) => [`${table.schema}.${table.name}`, table.name].includes(text.toLowerCase()),
  ];
  for (const form of forms) {
    const found = tables.filter(form);
    if (found.length > 0) return found;
  }
  return [];
}

function wholeSchema(catalog: Catalog, schema: string): readonly TableEntry[] {
  const found = catalog.tables.filter((table) => table.schema === schema && table.root.name === table.name);
  if (found.length > 0) return found;
  const schemas = [...new Set(catalog.tables.map((table) => table.schema))];
  throw new Failure('table_unknown', `There is no schema "${schema}" with tables in database ${catalog.database}.`, {
    hint: suggestion(schema, schemas) ?? `There is: ${schemas.join(', ')}.`,
  });
}

function unknownTable(catalog: Catalog, text: string): Failure {
  const names = catalog.tables.flatMap((table) => [table.name, displayName(table)]);
  const hint = suggestion(text, names) ?? 'Give --database when the table is in another database of the cluster.';
  return new Failure('table_unknown', `There is no table "${text}" in database ${catalog.database}.`, { hint });
}

function suggestion(text: string, names: readonly string[]): string | undefined {
  const meant = nearest(text, names);
  return meant === undefined ? undefined : `Did you mean "${meant}"?`;
}
