/** What a run that ended asks for by itself: a look at the new point after a backup, healing where damage was found. Pure. */
import type { RunEnd } from '../catalog/claim.ts';
import type { Run } from '../catalog/runs.ts';
import type { VerificationSettings } from '../config/schedule-settings.ts';
import type { AskedRun } from './enqueue.ts';
import { EVERY_APP } from './kinds.ts';

const DAY = 24 * 3_600_000;
const DAMAGED = new Set(['data_damaged', 'data_missing', 'repository_damaged']);
/** Above what schedules ask for when they say nothing. */
const HEALING_PRIORITY = 10;

type Policy = Pick<VerificationSettings, 'afterBackup' | 'heal'>;

export function followUps(run: Run, end: RunEnd, { afterBackup, heal }: Policy, now: number): AskedRun[] {
  return [
    ...(afterBackup && run.kind === 'backup' ? lookAtPoint(run, end) : []),
    ...(heal && run.kind !== 'sync' && DAMAGED.has(end.error?.code ?? '') ? healing(run, now) : []),
  ];
}

function lookAtPoint({ id, app, labels, priority }: Run, { outcome }: RunEnd): AskedRun[] {
  const point = outcome?.point;
  if (typeof point !== 'string') return [];
  const reason = `After the backup ${id}.`;
  return [
    { app, kind: 'verify', params: { point }, trigger: 'dependency', reason, labels, priority, dedupe: `verify:${id}` },
  ];
}

/** Once a day at most: what one sync cannot heal, the next cannot either. What a sample found says little of the rest, so all is read. */
function healing({ id, kind, params, labels }: Run, now: number): AskedRun[] {
  const sampled = kind === 'verify' && params.point === undefined;
  const storage = typeof params.storage === 'string' ? params.storage : undefined;
  return [
    {
      app: EVERY_APP,
      kind: 'sync',
      params: { ...(storage === undefined ? {} : { storage }), ...(sampled ? { readData: true } : {}) },
      trigger: 'healing',
      reason: `The ${kind} ${id} found damage.`,
      labels,
      priority: HEALING_PRIORITY,
      dedupe: `heal:${storage ?? EVERY_APP}:${sampled ? 'read' : 'known'}:${Math.floor(now / DAY)}`,
    },
  ];
}
