/** The audit log as text: JSON Lines that can be verified anywhere, or CSV for people. */

import { type AuditFilter, type AuditRecord, readAudit } from '../../catalog/audit.ts';
import { canonicalJson } from '../../catalog/canonical-json.ts';
import type { CatalogDb } from '../../catalog/catalog.ts';

export type AuditFormat = 'jsonl' | 'csv';

const COLUMNS = [
  ...(['seq', 'at', 'actor', 'action', 'target', 'app', 'address', 'outcome', 'details', 'previous', 'hash'] as const),
];

/** Pieces of text, oldest entry first. A line of JSON without its `hash` is, byte for byte, what the hash was made of. */
export async function* auditText(db: CatalogDb, format: AuditFormat, filter: AuditFilter): AsyncGenerator<string> {
  if (format === 'csv') yield `${COLUMNS.join(',')}\r\n`;
  for await (const record of readAudit(db, filter))
    yield format === 'csv' ? csvLine(record) : `${canonicalJson(record)}\n`;
}

function csvLine(record: AuditRecord): string {
  const row = { ...record, at: new Date(record.at).toISOString() };
  return `${COLUMNS.map((column) => csvCell(String(row[column] ?? ''))).join(',')}\r\n`;
}

/** Quoted where needed; what a spreadsheet would take for a formula begins with an apostrophe. */
function csvCell(text: string): string {
  const safe = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
