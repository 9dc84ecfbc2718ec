/** Whether the repository opens with the password, on which storages, and whether its points are whole and where they belong. */
import { openRepository } from '../../repository/repository.ts';
import { listSnapshots, timeOf } from '../../repository/snapshots.ts';
import { type DoctorFinding, failed, good, problem, remark } from '../doctor-finding.ts';
import { tagsOf } from '../points.ts';
import type { DoctorInput } from './input.ts';

const ABOUT = 'repository';
/** A point this much ahead of the clock shows that some clock was wrong. */
const FUTURE_MS = 5 * 60_000;

export async function repositoryFindings({
  stores,
  password,
  clock,
  holder,
  signal,
}: DoctorInput): Promise<DoctorFinding[]> {
  if ('error' in password) return [failed('repository.password', password.error)];
  const reachable = stores.flatMap((entry) => ('value' in entry ? [entry.value.store] : []));
  if (reachable.length === 0) return [];
  try {
    const repository = await openRepository(reachable, password.value, { clock, holder, signal });
    const lost = repository.lost.map(({ name, failure }) =>
      problem(`storage ${name}`, failure.message, failure.hint ?? ''),
    );
    const { snapshots, damaged } = await listSnapshots(repository);
    const points = snapshots.filter((stored) => tagsOf(stored) !== undefined);
    const names = repository.replicas.map(({ name }) => name).join(', ');
    const findings = [good(ABOUT, `opens with the password on ${names}; ${points.length} restore points`)];
    if (points.length === 0) findings.push(remark(ABOUT, 'There is no restore point yet.', 'holdfast backup'));
    if (damaged.length > 0)
      findings.push(problem(ABOUT, `${damaged.length} point objects cannot be read.`, 'holdfast check'));
    if (points.some((point) => timeOf(point) > clock.now() + FUTURE_MS)) {
      findings.push(
        problem(
          'clock',
          'There are points from the future: the clock of this machine is wrong, or was.',
          'Set up time synchronisation (systemd-timesyncd or chrony).',
        ),
      );
    }
    const newest = points.at(-1);
    const behind = repository.replicas.filter(({ bit }) => newest !== undefined && (newest.mask & bit) === 0);
    for (const { name } of behind)
      findings.push(problem(`storage ${name}`, 'lacks the newest restore point.', 'holdfast sync'));
    return [...lost, ...findings];
  } catch (error) {
    signal.throwIfAborted();
    return [failed(ABOUT, error)];
  }
}
