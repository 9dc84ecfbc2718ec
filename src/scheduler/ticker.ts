/**
 * Starts what is due. Any number of processes may run this; whoever holds the role does the work, and what it writes is refused once the
 * role went to another. It also takes runs back from workers that died, and clears away what is too old to keep.
 */
import type { Clock } from '../base/clock.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import { expireLeases } from '../catalog/claim.ts';
import { type KeepTimes, sweep } from '../catalog/housekeeping.ts';
import { dropLease, holdsLease, type RoleLease, takeLease } from '../catalog/leases.ts';
import { dueSchedules, getSchedule, nextDue, type Schedule } from '../catalog/schedules.ts';
import { removeLostWorkers } from '../catalog/workers.ts';
import type { DeclaredSchedule } from './declared.ts';
import { type Launched, launchDue, type Surroundings } from './launch.ts';
import { pendingSchedules } from './queue.ts';
import { reconcile } from './reconcile.ts';

export interface TickerDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Of this process; no other has it. */
  readonly holder: string;
  /** The schedules of the configuration of now. */
  declared(): Promise<readonly DeclaredSchedule[]>;
  /** How long records are kept, by the configuration of now; absent: nothing is cleared away. */
  keep?(): Promise<KeepTimes>;
  /** ms for which the role is taken; default 20 s. */
  readonly roleMs?: number;
  onProblem(message: string, error: unknown): void;
}

const SCHEDULER_ROLE = 'scheduler';

const TICK_MS = 5_000;
const ROLE_MS = 20_000;
/** A worker that was silent for this long is lost. */
const SILENT_MS = 90_000;
const CLEAR_EVERY = 3_600_000;
const MOST_DUE = 50_000;
const PER_TRANSACTION = 100;
/** Of schedules that follow each other. */
const MOST_LINKS = 100;

export class Ticker {
  readonly #deps: TickerDeps;
  #lease: RoleLease | undefined;
  #isReconciled = false;
  #clearedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: TickerDeps) {
    this.#deps = deps;
  }

  /** The configuration was read again: its schedules are compared with the next tick. */
  reload(): void {
    this.#isReconciled = false;
  }

  /** Ticks until `signal` fires, then gives the role back. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog, clock, onProblem } = this.#deps;
    while (!signal.aborted) {
      await this.tick().catch((error: unknown) => onProblem('Schedules could not be looked at', error));
      await clock.sleep(await this.#untilNext(), signal).catch(() => {});
    }
    const lease = this.#lease;
    if (lease !== undefined) await dropLease(catalog.db, lease).catch(() => {}); // it ends by itself
  }

  /** One look, if this process has the role; what was started. */
  async tick(): Promise<readonly Launched[]> {
    const { catalog, clock, holder, roleMs = ROLE_MS } = this.#deps;
    const lease = await takeLease(catalog.db, SCHEDULER_ROLE, holder, clock.now(), roleMs);
    if (lease?.fence !== this.#lease?.fence) this.#isReconciled = false;
    this.#lease = lease;
    if (lease === undefined) return [];
    if (!this.#isReconciled) await reconcile(catalog, await this.#deps.declared(), clock.now());
    this.#isReconciled = true;
    await expireLeases(catalog, clock.now());
    const launched = await startDue(catalog, clock.now(), { lease, onProblem: this.#deps.onProblem });
    await removeLostWorkers(catalog.db, clock.now() - SILENT_MS, clock.now());
    await this.#clear();
    return launched;
  }

  async #clear(): Promise<void> {
    const { catalog, clock } = this.#deps;
    if (clock.monotonic() - this.#clearedAt < CLEAR_EVERY) return;
    this.#clearedAt = clock.monotonic();
    const keep = await this.#deps.keep?.();
    if (keep !== undefined) await sweep(catalog.db, keep, clock.now());
  }

  async #untilNext(): Promise<number> {
    const { catalog, clock } = this.#deps;
    if (this.#lease === undefined) return TICK_MS;
    const next = await nextDue(catalog.db).catch(() => undefined); // the next tick tells what is wrong
    return next === undefined ? TICK_MS : Math.min(TICK_MS, Math.max(1, next - clock.now()));
  }
}

export interface StartOptions {
  /** The role that must still be held; without it anybody may start what is due, and nothing is started twice. */
  readonly lease?: RoleLease;
  readonly app?: string;
  onProblem(message: string, error: unknown): void;
}

/** Starts what is due now, of one app or of all. */
export async function startDue(
  catalog: Catalog,
  now: number,
  { lease, app, onProblem }: StartOptions,
): Promise<Launched[]> {
  const all = await dueSchedules(catalog.db, now, MOST_DUE);
  const due = inOrder(app === undefined ? all : all.filter((schedule) => schedule.app === app));
  if (due.length === 0) return [];
  const around: Surroundings = {
    followers: await followersOf(catalog.db),
    pending: await pendingSchedules(catalog.db),
  };
  const launched: Launched[] = [];
  for (let done = 0; done < due.length; done += PER_TRANSACTION) {
    const some = due.slice(done, done + PER_TRANSACTION);
    const started = await catalog
      .transaction((db) => startSome(db, some, around, now, lease))
      .catch((error: unknown) => {
        onProblem(`Of ${some.length} schedules that are due none could be started; they are tried one by one`, error);
        return startOneByOne(catalog, some, around, { now, lease, onProblem });
      });
    if (started === undefined) return launched;
    launched.push(...started);
  }
  return launched;
}

/** Undefined when the role is lost. */
async function startSome(
  db: CatalogDb,
  schedules: readonly Schedule[],
  around: Surroundings,
  now: number,
  lease: RoleLease | undefined,
): Promise<Launched[] | undefined> {
  if (lease !== undefined && !(await holdsLease(db, lease))) return undefined;
  const launched: Launched[] = [];
  for (const schedule of schedules) launched.push(...(await launchDue(db, schedule, around, now)));
  return launched;
}

interface OneByOne {
  readonly now: number;
  readonly lease: RoleLease | undefined;
  onProblem(message: string, error: unknown): void;
}

/** One schedule that makes no sense must not keep the others from starting. */
async function startOneByOne(
  catalog: Catalog,
  schedules: readonly Schedule[],
  around: Surroundings,
  { now, lease, onProblem }: OneByOne,
): Promise<Launched[] | undefined> {
  const launched: Launched[] = [];
  for (const schedule of schedules) {
    try {
      const started = await catalog.transaction((db) => startSome(db, [schedule], around, now, lease));
      if (started === undefined) return undefined;
      launched.push(...started);
    } catch (error) {
      onProblem(`The schedule "${schedule.name}" of ${schedule.app} could not be started`, error);
    }
  }
  return launched;
}

/** Schedules that start with each success of another and never by the clock, by that other's id. */
export async function followersOf(db: CatalogDb): Promise<ReadonlyMap<string, readonly Schedule[]>> {
  const rows = await db
    .selectFrom('schedules')
    .select('id')
    .where('after_schedule', 'is not', null)
    .where('cron', '=', '')
    .where('enabled', '=', 1)
    .execute();
  const schedules = await Promise.all(rows.map(({ id }) => getSchedule(db, id)));
  return Map.groupBy(
    schedules.filter((schedule) => schedule !== undefined),
    ({ afterSchedule }) => afterSchedule!,
  );
}

/** Of those due at once, the followed before those that follow them. */
function inOrder(due: readonly Schedule[]): Schedule[] {
  const byId = new Map(due.map((schedule) => [schedule.id, schedule]));
  const depth = (schedule: Schedule, steps = 0): number => {
    const first = schedule.afterSchedule === undefined ? undefined : byId.get(schedule.afterSchedule);
    return first === undefined || steps > MOST_LINKS ? 0 : depth(first, steps + 1) + 1;
  };
  return due
    .map((schedule) => ({ schedule, at: depth(schedule) }))
    .sort((a, b) => a.at - b.at)
    .map(({ schedule }) => schedule);
}
