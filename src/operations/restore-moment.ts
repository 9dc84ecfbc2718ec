/**
 * Restores a moment into a new directory: the database from the newest point that ends before it, and its log replayed up to there; everything
 * else from the newest point that is not after it. The moment is proved to be within reach before anything is written.
 */
import { join } from 'node:path';
import { given } from '../base/given.ts';
import type { RestorePlan } from '../recovery/plan.ts';
import { announceReading } from '../recovery/shared-lock.ts';
import { checkRoom, inspectTarget } from '../recovery/target.ts';
import { type FilesFrom, type MomentInput, type MomentOutcome, MomentRestore } from './restore/moment.ts';
import { ReadProblems } from './restore/read-problems.ts';
import { makePlans, restoreInto, type Work } from './restore/run.ts';
import { buildOutcome, filesOf, type RestoreOutcome, type RestoreRequest, roomFor } from './restore.ts';
import type { Session } from './session.ts';

export { parseLsn } from '../postgres/lsn.ts';
export type { MomentTarget } from '../recovery/moment.ts';
export type { FilesFrom, MomentInput, MomentOutcome } from './restore/moment.ts';

export interface RestoreMomentInput extends Omit<RestoreRequest, 'point'> {
  readonly app: string;
  readonly moment: MomentInput;
  /** Absolute. */
  readonly target: string;
}

export interface RestoreMomentOutcome extends RestoreOutcome {
  readonly moment: MomentOutcome;
  /** Null when only the database was restored. */
  readonly files_from: FilesFrom | null;
}

/** Throws what a restore throws; `moment_unreachable`, `postgres_program_missing`, `postgres_start_failed`. */
export async function restoreMoment(session: Session, input: RestoreMomentInput): Promise<RestoreMomentOutcome> {
  const started = session.clock.monotonic();
  await using lock = await announceReading(session);
  const { app, sources, target, dryRun, ownership } = input;
  const { moment, indexed } = await MomentRestore.prepare(session, app, sources, input.moment);
  const { parts } = moment.everything;
  const plans = await makePlans(session, indexed, parts, { paths: [], ...given('storage', input.storage) });
  const identity = { point: moment.plan.base.point.stored.id, sources, paths: [], besides: moment.identity };
  const problems = new ReadProblems(session.progress);
  if (typeof (await inspectTarget(target, identity)) === 'string')
    await checkRoom(target, roomFor(plans) + moment.roomBytes, filesOf(plans));
  await lock.settled();
  const works = plans.map((plan, at) => workOf(moment, target, plan, at));
  const to = { path: target, identity, ownership };
  const done = dryRun ? undefined : await restoreInto(session, indexed, to, works, problems);
  const duration = (session.clock.monotonic() - started) / 1000;
  const request = { ...input, point: moment.plan.base.point.stored.id };
  const { point } = moment.plan.base;
  const ended = { point, assembly: moment.everything, plans, done, storageProblems: problems.all, duration };
  return { ...buildOutcome(request, ended), moment: moment.outcome(), files_from: moment.filesFrom() };
}

/** Everything else comes first: the database is the longer work, and its recovery comes last of all. */
function workOf(moment: MomentRestore, target: string, plan: RestorePlan, at: number): Work {
  if (at < moment.files.parts.length) {
    const many = moment.files.parts.length > 1;
    return { plan, step: many ? `restore:files:${at + 1}` : 'restore:files', title: 'restoring the files' };
  }
  const around = moment.around(join(target, moment.source), true);
  return { plan, step: 'restore:database', title: 'restoring the database', ...around };
}
