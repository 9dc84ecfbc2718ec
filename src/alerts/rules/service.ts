/** Storages, workers, clocks, the audit log, and the service itself. */
import { formatDuration } from '../../base/durations.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type ServiceRule, today, type Verdict } from './rule.ts';

/** A measurement that is older tells nothing about now. */
const MAX_AGE = 2 * 86_400_000;

export const storageCapacity: ServiceRule = ({ capacity, now }, { storage_capacity: { percent, critical } }) =>
  capacity.flatMap(({ storage, used, total = 0, at }): Verdict[] => {
    if (now - at > MAX_AGE) return [];
    const cause = `storage_capacity:${storage}`;
    if (total <= 0) return [{ state: 'fine', cause, because: 'It has no limit that is known.' }];
    const full = (used / total) * 100;
    const figures = `${full.toFixed(1)} % of ${formatBytes(total)} are used, ${formatBytes(Math.max(0, total - used))} are free`;
    if (full <= percent) return [{ state: 'fine', cause, because: `${figures}.` }];
    return [
      {
        ...{ state: 'firing', rule: 'storage_capacity', cause, storage, evidence: today(now) },
        severity: full > critical ? 'CRITICAL' : 'WARNING',
        ...{ title: `The storage ${storage} is running full`, message: `${figures}.` },
        details: { used_bytes: used, total_bytes: total, used_percent: full, threshold_percent: percent },
      },
    ];
  });

export const storageUnreachable: ServiceRule = ({ storages, now }) => {
  const allGone = storages.length > 0 && storages.every(({ state }) => state === 'unreachable');
  return storages.map(({ storage, state, message, since, at }): Verdict => {
    const cause = `storage_unreachable:${storage}`;
    if (state !== 'unreachable') return { state: 'fine', cause, because: 'It answers again.' };
    return {
      ...{ state: 'firing', rule: 'storage_unreachable', cause, severity: allGone ? 'CRITICAL' : 'ERROR', storage },
      evidence: today(now),
      title: `The storage ${storage} cannot be used`,
      message: message ?? 'It does not answer.',
      details: { since: new Date(since).toISOString(), seen_at: new Date(at).toISOString(), all_storages: allGone },
    };
  });
};

export const storageBehind: ServiceRule = ({ storages, now }) =>
  storages
    .filter(({ state }) => state !== 'unreachable')
    .map(({ storage, state, since }): Verdict => {
      const cause = `storage_behind:${storage}`;
      if (state === 'good') return { state: 'fine', cause, because: 'It has everything again.' };
      return {
        ...{
          state: 'firing',
          rule: 'storage_behind',
          cause,
          severity: state === 'damaged' ? 'ERROR' : 'WARNING',
          storage,
        },
        evidence: today(now),
        title: state === 'damaged' ? `The storage ${storage} is damaged` : `The storage ${storage} is behind`,
        message: `It ${state === 'damaged' ? 'holds objects that are known to be damaged' : 'lacks points that it should hold'}. "holdfast sync --storage ${storage}" mends that.`,
        details: { since: new Date(since).toISOString(), state },
      };
    });

/** Those that are seen are fine; those that went away are told of by an event, and are fine when they are seen again. */
export const workerLost: ServiceRule = ({ workers, now }, { worker_lost: { after } }) =>
  workers.map(({ name, role, seenAt }): Verdict => {
    if (now - seenAt <= after) return { state: 'fine', cause: `worker_lost:${name}`, because: 'It is back.' };
    return lostWorker(name, role, now - seenAt, now);
  });

export function lostWorker(name: string, role: string, silent: number, now: number): Verdict {
  return {
    ...{ state: 'firing', rule: 'worker_lost', cause: `worker_lost:${name}`, severity: 'ERROR', evidence: today(now) },
    title: `The ${role === 'serve' ? 'server' : 'worker'} ${name} is lost`,
    message: `Nothing was heard of it for ${formatDuration(silent)}, and it did not say that it would go. Its runs are given to others.`,
    details: { worker: name, role, silent_seconds: silent / 1000 },
  };
}

export const clockSkew: ServiceRule = ({ clocks, now }, { clock_skew: { after } }) =>
  clocks.map(({ whose, ahead }): Verdict => {
    const cause = `clock_skew:${whose}`;
    if (Math.abs(ahead) <= after) return { state: 'fine', cause, because: 'The clocks agree.' };
    return {
      ...{ state: 'firing', rule: 'clock_skew', cause, severity: 'WARNING', evidence: today(now) },
      title: `The clock of ${whose} is ${ahead > 0 ? 'ahead' : 'behind'}`,
      message: `By ${formatDuration(Math.abs(ahead))}, against the clock of the machine that watches. Schedules and leases go by clocks: set them.`,
      details: { clock: whose, ahead_seconds: ahead / 1000, threshold_seconds: after / 1000 },
    };
  });

export const schedulerStalled: ServiceRule = ({ scheduler, now }, { scheduler_stalled: { after } }) => {
  const cause = 'scheduler_stalled';
  if (scheduler === undefined) return [];
  if (now - scheduler <= after) return [{ state: 'fine', cause, because: 'Schedules are looked at again.' }];
  return [
    {
      ...{ state: 'firing', rule: 'scheduler_stalled', cause, severity: 'CRITICAL', evidence: today(now) },
      title: 'Schedules are not looked at',
      message: `For ${formatDuration(now - scheduler)} no process has looked what is due: nothing starts by itself.`,
      details: { seconds: (now - scheduler) / 1000, threshold_seconds: after / 1000 },
    },
  ];
};

/** As it was seen when the catalog was last to be kept in the storages. */
export const auditBroken: ServiceRule = ({ audit, now }) => {
  const cause = 'audit_broken';
  if (audit === undefined) return [];
  const { problem, since, at } = audit;
  if (problem === undefined) return [{ state: 'fine', cause, because: 'It is the log that the storages know.' }];
  return [
    {
      ...{ state: 'firing', rule: 'audit_broken', cause, severity: 'CRITICAL', evidence: today(now) },
      title: 'The audit log is not the one that the storages know',
      message: `${problem}\nSomebody may have forged it. Until it is known, no copy of the catalog is kept: those in the storages stay as evidence. If the catalog was replaced on purpose: holdfast audit verify --accept "WHY"`,
      details: { since: new Date(since).toISOString(), seen_at: new Date(at).toISOString() },
    },
  ];
};
