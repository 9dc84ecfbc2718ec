/** A day's work at the clinic: what changes between one restore point and the next. */
import type { ClientBase } from 'pg';
import type { Clinic } from './clinic.ts';
import { insert, inTransaction } from './database.ts';
import { type ClinicFile, generateFilesFor, replaceSignature } from './files.ts';
import { encounterRows, mediaRows, reportRows } from './rows.ts';

export interface DayOfWork {
  readonly visits: number;
  readonly newFiles: readonly ClinicFile[];
  readonly phonesChanged: number;
  readonly appointmentsDeleted: number;
}

/** Every n-th visit of the day leaves a photograph or a report. */
const VISITS_PER_FILE = 10;

/** Works for a day: visits with photographs and reports, corrected phone numbers, a new signature, cancelled appointments removed. */
export async function workForADay(client: ClientBase, directory: string, clinic: Clinic): Promise<DayOfWork> {
  const last = await maxId(client, 'encounters');
  const visits = Math.max(10, Math.round(clinic.encounters / 730));
  const withFile = Array.from({ length: visits }, (_, index) => last + 1 + index).filter(
    (id) => id % VISITS_PER_FILE === 0,
  );
  const newFiles = await generateFilesFor(directory, clinic, withFile);
  await replaceSignature(directory, clinic, 1 + (last % 6));

  let phonesChanged = 0;
  let appointmentsDeleted = 0;
  await inTransaction(client, async () => {
    await insert(client, 'encounters', [...encounterRows(clinic, last + 1, last + visits)]);
    await insert(client, 'clinical_media', mediaRows(clinic, newFiles, (await maxId(client, 'clinical_media')) + 1));
    await insert(client, 'reports', reportRows(clinic, newFiles, (await maxId(client, 'reports')) + 1));
    const phones = await client.query(
      `update patients set phone = '+34 7' || lpad((id * 7919 % 100000000)::text, 8, '0') where id % 97 = $1`,
      [last % 97],
    );
    const gone = await client.query(
      `delete from appointments where id in (select id from appointments where status = 'cancelled' order by id limit 25)`,
    );
    phonesChanged = phones.rowCount ?? 0;
    appointmentsDeleted = gone.rowCount ?? 0;
  });
  return { visits, newFiles, phonesChanged, appointmentsDeleted };
}

/** A few more visits, without photographs; returns how many. */
export async function workAfterHours(client: ClientBase, clinic: Clinic): Promise<number> {
  const last = await maxId(client, 'encounters');
  const rows = [...encounterRows(clinic, last + 1, last + 7)];
  await insert(client, 'encounters', rows);
  return rows.length;
}

async function maxId(client: ClientBase, table: 'encounters' | 'clinical_media' | 'reports'): Promise<number> {
  const { rows } = await client.query<{ id: number }>(`select coalesce(max(id), 0) as id from ${table}`);
  return rows[0]!.id;
}
