/** Takes single points off storages, on record first. What they needed is freed by the next prune. */
import type { Failure } from '../base/failure.ts';
import { type Removal, recordRemovals } from './meta-removals.ts';
import { type ForgottenPoints, forgetPoints } from './prune/forget-points.ts';
import type { Repository } from './repository.ts';
import { lockEach } from './sync/lock-each.ts';
import { withReplicas } from './with-replicas.ts';

/** Storages that cannot be locked or reached are left out with their failures; the record makes the next prune there catch up. */
export async function forgetOnStorages(opened: Repository, removals: readonly Removal[]): Promise<ForgottenPoints> {
  const names = new Set(removals.map(({ storage }) => storage));
  const chosen = opened.replicas.filter(({ name }) => names.has(name));
  const { locks, failures } = await lockEach(withReplicas(opened, chosen), { exclusive: true });
  await using held = locks;
  await recordRemovals(opened, removals);
  const { signal } = opened.settings;
  const outcome = await forgetPoints({ locks: held }, removals, { signal });
  const lost = opened.lost.filter(({ name }) => names.has(name));
  const all = new Map<string, Failure>([
    ...lost.map(({ name, failure }) => [name, failure] as const),
    ...failures,
    ...outcome.failures,
  ]);
  return { removed: outcome.removed, failures: all };
}
