/** Names and values inside SQL text. Everything that comes from a database or an operator passes through here, or through `quoted`, before it is in a statement. */
import { quoted } from '../../postgres/quoting.ts';

/** A table as both databases know it: by schema and name. */
export interface TableName {
  readonly schema: string;
  readonly name: string;
}

/** `"schema"."table"`. */
export function quotedTable({ schema, name }: TableName): string {
  return `${quoted(schema)}.${quoted(name)}`;
}

/** A string constant, for sessions with `standard_conforming_strings` on (all of ours). */
export function literal(value: string): string {
  return `'${value.replaceAll("'", "''")}'`;
}

/** `value` as a constant of `type` (the server's own spelling of it); read by that type's input function. */
export function typedLiteral(value: string | null, type: string): string {
  return value === null ? `NULL::${type}` : `${literal(value)}::${type}`;
}

/** How people see the name, and a key for maps: no other table has the same. */
export function displayName({ schema, name }: TableName): string {
  const plain = /^[a-z_][a-z0-9_$]*$/;
  return [schema, name].map((part) => (plain.test(part) ? part : quoted(part))).join('.');
}

export function sameTable(a: TableName, b: TableName): boolean {
  return a.schema === b.schema && a.name === b.name;
}
