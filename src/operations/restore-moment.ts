/**
 * Restores a moment into a new directory: the database from the newest point that ends before it, and its log replayed up to there; everything
 * else from the newest point that is not after it. The moment is proved to be within reach before anything is written.
 */
import { join } from 'node:path';
import type { RestorePlan } from '../recovery/plan.ts';
import type { RestoredFiles } from '../recovery/restore-files.ts';
import { announceReading } from '../recovery/shared-lock.ts';
import { checkRoom, inspectTarget } from '../recovery/target.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { type FilesFrom, type MomentInput, type MomentOutcome, MomentRestore } from './restore/moment.ts';
import { ReadProblems } from './restore/read-problems.ts';
import { makePlan, restoreInto } from './restore/run.ts';
import { buildOutcome, type RestoreOutcome, type RestoreRequest } from './restore.ts';
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
  const { app, sources, target, dryRun } = input;
  const { moment, indexed } = await MomentRestore.prepare(session, app, sources, input.moment);
  const plans = await plansOf(session, indexed, moment, input);
  const identity = { point: moment.plan.base.point.stored.id, sources, paths: [], moment: moment.identity };
  const problems = new ReadProblems(session.progress);
  if (typeof (await inspectTarget(target, identity)) === 'string') await assertRoom(target, plans, moment);
  await lock.settled();
  const done: RestoredFiles[] = [];
  for (const { plan, isDatabase, more } of dryRun ? [] : plans) {
    const around = isDatabase ? moment.around(join(target, moment.source), true) : {};
    const title = isDatabase ? 'restoring the database' : 'restoring the files';
    const step = isDatabase ? 'restore:database' : 'restore:files';
    const request = { target, identity, ownership: input.ownership, title, step, more, ...around };
    done.push(await restoreInto(session, indexed, plan, request, problems));
  }
  const duration = (session.clock.monotonic() - started) / 1000;
  const all = plans.map(({ plan }) => plan);
  const request = { ...input, point: moment.plan.base.point.stored.id };
  return {
    ...buildOutcome(request, moment.plan.base.point, all, dryRun ? undefined : done, problems.all, duration),
    moment: moment.outcome(),
    files_from: plans.some(({ isDatabase }) => !isDatabase) ? moment.filesFrom() : null,
  };
}

interface PlannedRestore {
  readonly plan: RestorePlan;
  readonly isDatabase: boolean;
  /** Another one of the same target follows. */
  readonly more: boolean;
}

/** Everything else first: the database is the longer work, and its recovery comes last of all. */
async function plansOf(
  session: Session,
  indexed: IndexedRepository,
  moment: MomentRestore,
  { sources, storage }: RestoreMomentInput,
): Promise<readonly PlannedRestore[]> {
  const request = { paths: [], ...(storage === undefined ? {} : { storage }) };
  const databases = Object.entries(moment.filesPoint.manifest?.sources ?? {}).filter(
    ([, { type }]) => type === 'postgres',
  );
  const others = moment
    .sourcesFor(sources)
    .filter((name) => name !== moment.source && !databases.some(([database]) => database === name));
  const plan = await makePlan(session, indexed, moment.plan.base.point, { ...request, sources: [moment.source] });
  const database = { plan, isDatabase: true, more: false };
  if (others.length === 0) return [database];
  const files = await makePlan(session, indexed, moment.filesPoint, { ...request, sources: others });
  return [{ plan: files, isDatabase: false, more: true }, database];
}

function assertRoom(target: string, plans: readonly PlannedRestore[], moment: MomentRestore): Promise<void> {
  const totals = plans.map(({ plan }) => plan.totals);
  const bytes = totals.reduce((sum, { roomBytes }) => sum + roomBytes, moment.roomBytes);
  return checkRoom(
    target,
    bytes,
    totals.reduce((sum, { files }) => sum + files, 0),
  );
}
