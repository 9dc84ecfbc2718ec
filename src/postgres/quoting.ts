/** Names and values as PostgreSQL reads them. */

/** An identifier in a statement: `"name"`, with quotes doubled. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** A value in a configuration file: `'value'`. */
export function quotedSetting(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
