/** The clinic's database: filling it, a day's work in it, and what proves that it is all there. */
import { readFile } from 'node:fs/promises';
import type { ClientBase } from 'pg';
import { type Clinic, TENANTS } from './clinic.ts';
import type { ClinicFile } from './files.ts';
import {
  appointmentRows,
  encounterRows,
  invoiceRows,
  mediaRows,
  migrationRows,
  patientRows,
  practitionerRows,
  type Row,
  reportRows,
} from './rows.ts';

/** Every table, in an order in which rows can be inserted. */
export const TABLES = [
  ...(['django_migrations', 'tenants', 'practitioners', 'patients', 'encounters'] as const),
  ...(['clinical_media', 'reports', 'appointments', 'invoices'] as const),
] as const;

export type Table = (typeof TABLES)[number];

const BATCH = 5000;

/** Creates the tables and fills them, in one transaction. `files` is what `generateFiles` made for the same clinic. */
export async function fillDatabase(
  client: ClientBase,
  clinic: Clinic,
  files: readonly ClinicFile[],
  onProgress: (rows: number) => void = () => {},
): Promise<void> {
  const content: Readonly<Record<Table, Iterable<Row>>> = {
    django_migrations: migrationRows(clinic),
    tenants: TENANTS,
    practitioners: practitionerRows(),
    patients: patientRows(clinic),
    encounters: encounterRows(clinic, 1, clinic.encounters),
    clinical_media: mediaRows(clinic, files, 1),
    reports: reportRows(clinic, files, 1),
    appointments: appointmentRows(clinic),
    invoices: invoiceRows(clinic),
  };
  let done = 0;
  await inTransaction(client, async () => {
    await runFile(client, 'tables.sql');
    for (const table of TABLES) {
      for (const batch of batches(content[table])) {
        await insert(client, table, batch);
        done += batch.length;
        onProgress(done);
      }
    }
    await runFile(client, 'constraints.sql');
  });
  await client.query('analyze');
}

async function runFile(client: ClientBase, name: string): Promise<void> {
  await client.query(await readFile(new URL(name, import.meta.url), 'utf8'));
}

/** Inserts `rows`, whose keys are the columns, and lets the table's numbering go on after them. */
export async function insert(client: ClientBase, table: Table, rows: readonly Row[]): Promise<void> {
  const statement = `insert into ${table} select * from json_populate_recordset(null::${table}, $1::json)`;
  await client.query(statement, [JSON.stringify(rows)]);
  await client.query(`select setval(pg_get_serial_sequence('${table}', 'id'), (select max(id) from ${table}))`);
}

/** Runs `work` in a transaction, which is rolled back when it throws. */
export async function inTransaction(client: ClientBase, work: () => Promise<void>): Promise<void> {
  await client.query('begin');
  try {
    await work();
    await client.query('commit');
  } catch (error) {
    await client.query('rollback');
    throw error;
  }
}

function* batches(rows: Iterable<Row>): Generator<Row[]> {
  let batch: Row[] = [];
  for (const row of rows) {
    batch.push(row);
    if (batch.length === BATCH) {
      yield batch;
      batch = [];
    }
  }
  if (batch.length > 0) yield batch;
}
