/**
 * Takes runs from the queue and carries them out, a few at a time. It looks when something was committed, when a run's time comes, and at
 * the latest after a while; it says that it is alive, and stops by finishing or handing back what it has.
 */
import type { Clock } from '../base/clock.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { claimRun } from '../catalog/claim.ts';
import type { Run } from '../catalog/runs.ts';
import { heartbeat, removeWorker, type WorkerSelf } from '../catalog/workers.ts';
import { isResident } from './kinds.ts';
import { nextStart } from './queue.ts';
import { carryOut, type RunnerDeps } from './runner.ts';

export interface WorkerDeps extends RunnerDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly self: WorkerSelf;
  /** Runs at once. */
  readonly concurrency: number;
  /** ms between two looks when nothing wakes it. */
  readonly pollMs: number;
  /** ms between two signs of life. */
  readonly heartbeatMs: number;
  /** ms that runs have to finish by themselves once it is to stop. */
  readonly drainMs: number;
  /** Ends when there may be something to claim, after `ms`, or with `signal`; by default with every commit that the catalog tells of. */
  readonly wait?: (ms: number, signal: AbortSignal) => Promise<void>;
  onProblem(message: string, error: unknown): void;
}

/** After a problem with the catalog it waits this long. */
const PAUSE = 2_000;

/** Works until `signal` fires; resolves when nothing of its own runs any more. */
export async function work(deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const { catalog, clock, self, drainMs } = deps;
  await using listening = await catalog.listen();
  const gone = new AbortController();
  const drained = new AbortController();
  const alive = stayAlive(deps, gone.signal);
  const running: Running = { working: new Set(), resident: new Set() };
  const freed = new Latch();
  while (!signal.aborted) {
    await listening.ensure();
    if (running.working.size >= deps.concurrency) await freed.wait(signal);
    else await takeOne(deps, running, freed, { signal, drained: drained.signal });
  }
  const timer = clock.sleep(drainMs, gone.signal).then(
    () => drained.abort(),
    () => {},
  );
  await Promise.all([...running.working, ...running.resident]);
  gone.abort();
  await Promise.all([timer, alive]);
  await removeWorker(catalog.db, self.id).catch((error: unknown) =>
    deps.onProblem('The worker could not sign off', error),
  );
}

/** `resident`: what lives on beside the work, such as a sandbox. */
interface Running {
  readonly working: Set<Promise<void>>;
  readonly resident: Set<Promise<void>>;
}

interface Signals {
  readonly signal: AbortSignal;
  readonly drained: AbortSignal;
}

/** Starts the next run, or waits until there may be one. */
async function takeOne(deps: WorkerDeps, running: Running, freed: Latch, { signal, drained }: Signals) {
  const { catalog, clock, self, leaseMs } = deps;
  const stopWaiting = new AbortController();
  // Waiting begins before looking, so that nothing slips in between.
  const woken = waiting(deps, AbortSignal.any([signal, stopWaiting.signal]));
  const run = await claimRun(catalog, self, clock.now(), leaseMs).catch((error: unknown) =>
    problem(deps, 'The queue cannot be read', error),
  );
  if (run === undefined) {
    const looked = clock.monotonic();
    await woken(await untilNext(deps));
    return await restOf(LEAST_GAP - (clock.monotonic() - looked), clock, signal);
  }
  stopWaiting.abort();
  const resident = isResident(run.kind);
  const place = resident ? running.resident : running.working;
  const work = runIt(run, deps, resident ? signal : drained).finally(() => {
    place.delete(work);
    freed.open();
  });
  place.add(work);
}

/** Commits come in crowds, and each wakes every worker: an empty queue is not asked more often than this. */
const LEAST_GAP = 500;

async function restOf(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (ms > 0) await clock.sleep(ms, signal).catch(() => {});
}

/** ms until a run of the queue may start, at most until the next look. */
async function untilNext({ catalog, clock, pollMs }: WorkerDeps): Promise<number> {
  const now = clock.now();
  const next = await nextStart(catalog.db, now).catch(() => undefined); // the poll comes anyway
  return next === undefined ? pollMs : Math.min(pollMs, Math.max(1, next - now));
}

function waiting({ catalog, clock, wait }: WorkerDeps, signal: AbortSignal): (ms: number) => Promise<void> {
  if (wait !== undefined) return (ms) => wait(ms, signal);
  let woken = false;
  void catalog.wake.wait(clock, 2 ** 31 - 1, signal).then(() => {
    woken = true;
  });
  return async (ms) => {
    if (!woken) await catalog.wake.wait(clock, ms, signal);
  };
}

async function runIt(run: Run, deps: WorkerDeps, drained: AbortSignal): Promise<void> {
  try {
    await carryOut(run, deps, drained);
  } catch (error) {
    deps.onProblem(`The end of run ${run.id} could not be recorded; it is taken back when its lease ends`, error);
  }
}

async function stayAlive(deps: WorkerDeps, signal: AbortSignal): Promise<void> {
  const { catalog, clock, self, heartbeatMs } = deps;
  do
    await heartbeat(catalog.db, self, clock.now()).catch((error: unknown) =>
      deps.onProblem('The worker could not say that it lives', error),
    );
  while (
    await clock.sleep(heartbeatMs, signal).then(
      () => true,
      () => false,
    )
  );
}

async function problem({ clock, onProblem }: WorkerDeps, message: string, error: unknown): Promise<undefined> {
  onProblem(message, error);
  await clock.sleep(PAUSE);
}

/** One waits until it opens, or until a signal fires. */
class Latch {
  #open: (() => void) | undefined;

  async wait(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    await new Promise<void>((resolve) => {
      this.#open = resolve;
      signal.addEventListener('abort', this.open, { once: true });
    });
    signal.removeEventListener('abort', this.open);
  }

  readonly open = () => {
    this.#open?.();
  };
}
