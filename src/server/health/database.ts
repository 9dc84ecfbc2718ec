/** The catalog: does it answer, how fast, and is there room for more. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { formatBytes } from '../../base/sizes.ts';
import { type DoctorFinding, good, problem, remark } from '../../operations/doctor-finding.ts';
import type { HealthInput } from '../health-checks.ts';

const ABOUT = 'catalog';
const SLOW_MS = 500;
const LITTLE = 1024 ** 3;

export async function databaseFindings({ catalog, config, clock }: HealthInput): Promise<DoctorFinding[]> {
  const before = clock.monotonic();
  await sql`select id from runs order by id desc limit 1`.execute(catalog.db);
  const ms = Math.round(clock.monotonic() - before);
  const answer =
    ms < SLOW_MS
      ? good(ABOUT, `It answers in ${ms} ms.`)
      : remark(ABOUT, `It takes ${ms} ms to answer.`, 'See what else keeps its disk or its server busy.');
  const place = await config.catalog();
  return 'path' in place ? [answer, await room(place.path)] : [answer];
}

async function room(path: string): Promise<DoctorFinding> {
  const { bavail, bsize } = await statfs(dirname(path));
  const free = bavail * bsize;
  if (free >= LITTLE) return good(ABOUT, `Its disk has ${formatBytes(free)} left.`);
  return problem(ABOUT, `Its disk has only ${formatBytes(free)} left.`, `Make room on the disk of ${path}.`);
}
