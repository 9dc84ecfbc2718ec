/** The storages as they were seen last, and the day on which they are full. */
import { formatBytes } from '../../base/sizes.ts';
import { type StorageGrowth, storageGrowth } from '../../catalog/forecast.ts';
import { type KnownStorage, readStorages } from '../../catalog/statuses.ts';
import { type DoctorFinding, good, problem, remark } from '../../operations/doctor-finding.ts';
import type { HealthInput } from '../health-checks.ts';

const DAY = 24 * 3_600_000;
const SOON = 30 * DAY;
const FULL_PERCENT = 80;

export async function storageFindings({ catalog, config, clock }: HealthInput): Promise<DoctorFinding[]> {
  const known = new Map((await readStorages(catalog.db)).map((each) => [each.storage, each]));
  const growth = new Map((await storageGrowth(catalog.db, clock.now())).map((each) => [each.storage, each]));
  return config.storageNames.flatMap((name) => {
    const measured = growth.get(name);
    return [seen(name, known.get(name)), ...(measured === undefined ? [] : [filling(measured, clock.now())])];
  });
}

function seen(name: string, known: KnownStorage | undefined): DoctorFinding {
  const about = `storage ${name}`;
  if (known === undefined) return remark(about, 'Nobody has looked at it yet.', 'holdfast status');
  if (known.state === 'good') return good(about, 'It has all that it should.');
  const words = {
    behind: 'It lacks points.',
    damaged: 'Something in it is damaged.',
    unreachable: 'It cannot be used.',
  };
  const what = known.message === undefined ? words[known.state] : `${words[known.state]} ${known.message}`;
  return problem(about, what, known.state === 'unreachable' ? 'holdfast doctor' : 'holdfast sync');
}

function filling({ storage, usedBytes, capacityBytes, usedPercent = 0, fullOn }: StorageGrowth, now: number) {
  const about = `storage ${storage}`;
  const of = capacityBytes === undefined ? '' : ` of ${formatBytes(capacityBytes)}`;
  const day = fullOn === undefined ? '' : new Date(fullOn).toISOString().slice(0, 10);
  const what = `${formatBytes(usedBytes)}${of} are used.${day === '' ? '' : ` It is full on ${day} if it goes on like this.`}`;
  const soon = fullOn !== undefined && fullOn - now < SOON;
  if (usedPercent < FULL_PERCENT && !soon) return good(about, what);
  return remark(about, what, 'Make it larger, or keep less: see "retention".');
}
