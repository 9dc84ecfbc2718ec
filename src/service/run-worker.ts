/** The part that carries runs out: in `serve`, and alone in `worker`. */
import { Failure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import type { Log } from '../base/log.ts';
import { retentionFrozen } from '../catalog/alerts.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { RunEnd } from '../catalog/claim.ts';
import type { Run } from '../catalog/runs.ts';
import { processes } from '../scheduler/runner.ts';
import { withSlices } from '../scheduler/verification.ts';
import { work } from '../scheduler/worker.ts';
import { afterRun } from './after-run.ts';
import { runObserver } from './run-observer.ts';
import type { ServiceWorld } from './world.ts';

/** ms. A worker that died is noticed after its lease. */
const LEASE = 30_000;
const GRACE = 60_000;
const POLL = 5_000;
const HEARTBEAT = 20_000;
const DRAIN = 30_000;
const HOUR = 3_600_000;

export interface WorkerChoice {
  readonly role: 'serve' | 'worker';
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly concurrency?: number;
}

/** After a sign that somebody destroys data, what is kept stays kept until a person has looked. */
async function refuseWhileFrozen({ db }: Catalog, app: string): Promise<void> {
  const alert = await retentionFrozen(db, app);
  if (alert === undefined) return;
  throw new Failure('retention_frozen', `Nothing is removed while this alert is open: ${alert.title}.`, {
    hint: 'Look what happened; when the data are as they should be, resolve the alert.',
  });
}

/** Works until the signal of the world fires, then finishes or hands back what it has. */
export async function runWorker(world: ServiceWorld, catalog: Catalog, choice: WorkerChoice): Promise<void> {
  const { clock, env, build, hostname, configuration, log } = world;
  const settings = await configuration.current.worker();
  const name = choice.name ?? settings.name ?? hostname;
  const labels = { ...settings.labels, ...choice.labels };
  const concurrency = choice.concurrency ?? settings.concurrency;
  const id = newId(clock.now());
  log.info('A worker takes runs.', { worker: id, name, labels, concurrency });
  const observing = runObserver(world, catalog, labels);
  await work(
    {
      ...{ catalog, clock, concurrency, leaseMs: LEASE, graceMs: GRACE, pollMs: POLL },
      ...{ heartbeatMs: HEARTBEAT, drainMs: DRAIN },
      self: { id, name, labels, role: choice.role, version: build.version },
      start: processes({ command: [build.program], env, cwd: configuration.current.directory }),
      words: ['--config', configuration.current.file],
      prepare: async (run) => {
        log.info('A run begins.', factsOf(run));
        if (run.kind !== 'verify') return run.params;
        const { sample } = await configuration.current.verification();
        return withSlices(catalog.db, run.params, clock.now(), sample === 'daily' ? 24 * HOUR : HOUR);
      },
      beforeRemoval: (run) => refuseWhileFrozen(catalog, run.app),
      ended: async (db, run, params, end) => {
        await afterRun(db, { run, params, end }, await configuration.current.verification(), clock.now());
        tellEnd(log, run, end);
      },
      onProblem: (message, error) => log.error(`${message}.`, { worker: id, error }),
    },
    world.signal,
  );
  await observing;
  log.info('The worker has stopped.', { worker: id });
}

function factsOf({ id, kind, app, attempt }: Run) {
  return { run: id, kind, app, attempt };
}

/** Its steps and lines are in the catalog; the log says what whoever watches it should see. */
function tellEnd(log: Log, run: Run, { state, error }: RunEnd): void {
  const facts = { ...factsOf(run), state, ...(error && { code: error.code, reason: error.message }) };
  if (state === 'failed') log.error('A run failed.', facts);
  else if (state === 'partial') log.warn('A run ended in part.', facts);
  else log.info('A run ended.', facts);
}
