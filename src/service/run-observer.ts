/**
 * Looks at the outside and writes down what it saw: the status of each app that this process can reach, the points of the storages, and, in
 * the repository, a copy of the catalog. After runs that changed something, and every few minutes anyway, but not while such a run is under
 * way. Of several processes one does it.
 */
import { asFailure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { newestEvent, readEvents } from '../catalog/events.ts';
import { noteObserved, observations } from '../catalog/observations.ts';
import { anyRunning } from '../catalog/runs.ts';
import { noteStorages, saveStatus } from '../catalog/statuses.ts';
import { ask } from './ask.ts';
import { outdatedBefore } from './look-times.ts';
import { takeTurn } from './take-turns.ts';
import type { ServiceWorld } from './world.ts';

/** ms. */
const TICK = 2_000;
/** Copies of the catalog are not made more often than this. */
const SAVE_EVERY = 60_000;
const BATCH = 500;

/** Kinds of runs after which things may look different. */
const CHANGES = ['backup', 'prove', 'check', 'verify', 'sync', 'prune', 'restore', 'forget', 'pin', 'unpin'];
const UNREACHABLE = new Set(['storages_failed', 'storage_missing', 'repository_missing']);

type Labels = Readonly<Record<string, string>>;

export async function runObserver(world: ServiceWorld, catalog: Catalog, labels: Labels): Promise<void> {
  await new Observer(world, catalog, labels).run();
}

class Observer {
  readonly #world: ServiceWorld;
  readonly #catalog: Catalog;
  readonly #labels: Labels;
  readonly #holder: string;
  /** The number of the last event heard of. */
  #heard = 0;
  #seen: ReadonlyMap<string, number> = new Map();
  /** When a run ended after which things may look different, and when any did; ms since the epoch. */
  #changedAt = 0;
  #endedAt = 0;

  constructor(world: ServiceWorld, catalog: Catalog, labels: Labels) {
    this.#world = world;
    this.#catalog = catalog;
    this.#labels = labels;
    this.#holder = newId(world.clock.now());
  }

  async run(): Promise<void> {
    const { clock, signal, log } = this.#world;
    this.#heard = await newestEvent(this.#catalog.db);
    while (!signal.aborted) {
      await this.#turn().catch((error: unknown) => {
        if (!signal.aborted) log.error('The outside could not be looked at.', { error });
      });
      await clock.sleep(TICK, signal).catch(() => {});
    }
  }

  async #turn(): Promise<void> {
    await this.#hear();
    this.#seen = await observations(this.#catalog.db);
    const now = this.#world.clock.now();
    const since = outdatedBefore(now, this.#changedAt, await anyRunning(this.#catalog.db, CHANGES));
    const config = this.#world.configuration.current;
    for (const app of config.appNames) {
      const what = `status:${app}`;
      if (this.#isDone(what, since) || !(await this.#reaches(app))) continue;
      await this.#once(what, since, () => this.#status(app));
    }
    await this.#once('points', since, () => this.#try(['catalog', 'rebuild'], 'The points could not be listed'));
    const saved = Math.min(this.#endedAt, now - SAVE_EVERY);
    await this.#once('copy', saved, () => this.#try(['catalog', 'save'], 'The copy of the catalog was not kept'));
  }

  /** What ended since the last turn. */
  async #hear(): Promise<void> {
    for (;;) {
      const events = await readEvents(this.#catalog.db, this.#heard, BATCH, { types: ['run.finished'] });
      for (const { seq, at, data } of events) {
        this.#heard = seq;
        this.#endedAt = at;
        if (CHANGES.includes(String(data.kind))) this.#changedAt = at;
      }
      if (events.length < BATCH) return;
    }
  }

  /** Does `work` unless some process has done it since then, or is doing it. */
  async #once(what: string, since: number, work: () => Promise<void>): Promise<void> {
    const { clock, signal } = this.#world;
    signal.throwIfAborted();
    if (this.#isDone(what, since)) return;
    await takeTurn(this.#catalog, clock, { name: `observe:${what}`, holder: this.#holder }, async () => {
      this.#seen = await observations(this.#catalog.db);
      if (this.#isDone(what, since)) return undefined;
      const begun = clock.now();
      await work();
      return (db) => noteObserved(db, what, begun);
    });
  }

  #isDone(what: string, since: number): boolean {
    const last = this.#seen.get(what) ?? 0;
    return last >= since && last <= this.#world.clock.now(); // or a clock was set back since it was noted
  }

  async #reaches(app: string): Promise<boolean> {
    const { labels } = await this.#world.configuration.current.plan(app);
    return Object.entries(labels).every(([name, value]) => this.#labels[name] === value);
  }

  async #status(app: string): Promise<void> {
    const { clock, log, signal, configuration } = this.#world;
    try {
      const report = await ask(this.#world, ['status', '--app', app]);
      await saveStatus(this.#catalog.db, app, report, clock.now());
    } catch (error) {
      if (signal.aborted) return;
      const { message, details } = asFailure(error);
      log.warn('The status of an app is not known.', { app, reason: message });
      if (!UNREACHABLE.has(String(details.code))) return;
      const sights = configuration.current.storageNames.map((storage) => ({
        ...{ storage, state: 'unreachable' as const, message },
      }));
      await noteStorages(this.#catalog.db, sights, clock.now());
    }
  }

  async #try(words: readonly string[], problem: string): Promise<void> {
    try {
      await ask(this.#world, words);
    } catch (error) {
      if (!this.#world.signal.aborted) this.#world.log.warn(`${problem}.`, { reason: asFailure(error).message });
    }
  }
}
