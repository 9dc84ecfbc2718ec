/** Whether the WAL archive of a database can be kept, and whether its moments could be restored on this machine. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { PostgresSourceSettings } from '../../config/settings.ts';
import { parseConnectionUrl } from '../../postgres/connection-settings.ts';
import { findPrograms, type ProgramSearch } from '../../postgres/programs.ts';
import { SqlSession } from '../../postgres/sql.ts';
import { type DoctorFinding, good, problem, remark } from '../doctor-finding.ts';
import { slotOf } from '../wal/server.ts';

export interface ArchiveQuestion {
  readonly about: string;
  readonly app: string;
  readonly source: PostgresSourceSettings;
  readonly programs: ProgramSearch;
  readonly signal: AbortSignal;
}

const QUERY = `
  SELECT current_setting('server_version_num')::int / 10000 AS major, current_setting('archive_mode') AS mode,
         CASE WHEN pg_has_role('pg_read_all_settings', 'USAGE') THEN current_setting('archive_command') END AS command,
         (SELECT s.active::text FROM pg_replication_slots s WHERE s.slot_name = $1) AS slot`;

/** The server answers: it was diagnosed before. */
export async function archiveFindings(question: ArchiveQuestion): Promise<DoctorFinding[]> {
  const { app, source, signal } = question;
  await using sql = await SqlSession.open(parseConnectionUrl(source.url), { signal });
  const [row] = await sql.rows(QUERY, [slotOf(app, source)]);
  const server = {
    major: Number(row?.major),
    archiveMode: String(row?.mode),
    command: row?.command === null ? undefined : String(row?.command),
    slot: row?.slot === null ? undefined : row?.slot === 'true',
  };
  const archive = { off: () => [], push: () => pushed(question, server), stream: () => streamed(question, server) };
  return [...(await archive[source.wal.mode]()), await programsOf(question, server.major)];
}

interface Server {
  readonly archiveMode: string;
  /** Undefined where the role may not see it. */
  readonly command: string | undefined;
  /** Whether somebody is using the slot; undefined where there is none. */
  readonly slot: boolean | undefined;
}

async function streamed({ about, source }: ArchiveQuestion, { slot }: Server): Promise<DoctorFinding[]> {
  const start = `holdfast wal stream --source ${source.name}`;
  const found: DoctorFinding[] = [];
  if (slot === true) found.push(good(about, 'its WAL is being received'));
  else if (slot === false)
    found.push(
      problem(about, 'nothing receives the WAL, and the server keeps it for the slot: its disk fills up', start),
    );
  else found.push(remark(about, 'its WAL was never received: only the points can be restored', start));
  const place = await writablePlace(source.wal.spool);
  if (place !== undefined)
    found.push(
      problem(
        about,
        `the spool ${source.wal.spool} cannot be made: ${place} cannot be written`,
        `chown or choose another wal.spool`,
      ),
    );
  return found;
}

function pushed({ about }: ArchiveQuestion, { archiveMode, command }: Server): DoctorFinding[] {
  const set = "ALTER SYSTEM SET archive_command = 'holdfast wal push %p';";
  if (archiveMode === 'off')
    return [
      problem(
        about,
        'archive_mode is off: nothing is archived',
        `ALTER SYSTEM SET archive_mode = on; ${set} and restart the server`,
      ),
    ];
  if (command === undefined) return [remark(about, 'the role may not see archive_command')];
  if (/\bwal push\b/.test(command)) return [good(about, 'archive_command pushes its WAL')];
  return [
    problem(about, `archive_command is not Holdfast's: ${command || 'it is empty'}`, `${set} SELECT pg_reload_conf();`),
  ];
}

async function programsOf({ about, programs }: ArchiveQuestion, major: number): Promise<DoctorFinding> {
  const found = (await findPrograms(programs)).find((each) => each.major === major);
  if (found !== undefined)
    return good(about, `moments, sandboxes and proofs can use PostgreSQL ${found.version} of this machine`);
  const what = `the server programs of PostgreSQL ${major} are not on this machine: no moment can be replayed here, no point proven`;
  return remark(about, what, `apt-get install postgresql-${major}, or name their directory under postgres.programs`);
}

/** The nearest directory above `path` that exists, when it cannot be written; undefined when all is well. */
async function writablePlace(path: string): Promise<string | undefined> {
  for (let at = path; ; at = dirname(at)) {
    const exists = await access(at).then(
      () => true,
      () => false,
    );
    if (!exists && at !== dirname(at)) continue;
    return access(at, constants.W_OK).then(
      () => undefined,
      () => at,
    );
  }
}
