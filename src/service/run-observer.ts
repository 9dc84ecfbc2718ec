/**
 * Looks at the outside and writes down what it saw: the status of each app that this process can reach, the points of the storages, and, in
 * the repository, a copy of the catalog. After runs that changed something, and every few minutes anyway. Of several processes one does it.
 */
import { asFailure } from '../base/failure.ts';
import { newId } from '../base/ids.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { eventRange, readEvents } from '../catalog/events.ts';
import { takeLease } from '../catalog/leases.ts';
import { noteStorages, saveStatus } from '../catalog/statuses.ts';
import { ask } from './ask.ts';
import type { ServiceWorld } from './world.ts';

/** ms. */
const LOOK_EVERY = 5 * 60_000;
const SETTLE = 3_000;
const TICK = 2_000;
const ROLE = 6 * 60_000;
/** Copies of the catalog are not made more often than this. */
const SAVE_EVERY = 60_000;

/** Kinds of runs after which things may look different. */
const CHANGES = new Set(['backup', 'prove', 'check', 'verify', 'sync', 'prune', 'restore', 'forget', 'pin', 'unpin']);
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
  #seen = 0;
  #changedAt: number | undefined;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #savedAt = Number.NEGATIVE_INFINITY;
  #unsaved = false;

  constructor(world: ServiceWorld, catalog: Catalog, labels: Labels) {
    this.#world = world;
    this.#catalog = catalog;
    this.#labels = labels;
    this.#holder = newId(world.clock.now());
  }

  async run(): Promise<void> {
    const { clock, signal, log } = this.#world;
    this.#seen = (await eventRange(this.#catalog.db)).newest;
    while (!signal.aborted) {
      await this.#turn().catch((error: unknown) => {
        if (!signal.aborted) log.error('The outside could not be looked at.', { error });
      });
      await clock.sleep(TICK, signal).catch(() => {});
    }
  }

  async #turn(): Promise<void> {
    const { clock } = this.#world;
    await this.#hear();
    const now = clock.monotonic();
    const settled = this.#changedAt !== undefined && now - this.#changedAt >= SETTLE;
    if (settled || now - this.#lookedAt >= LOOK_EVERY) {
      this.#lookedAt = now;
      this.#changedAt = undefined;
      await this.#look();
    }
    if (!this.#unsaved || clock.monotonic() - this.#savedAt < SAVE_EVERY) return;
    this.#savedAt = clock.monotonic();
    this.#unsaved = false;
    if (await this.#hasRole('save')) await this.#try(['catalog', 'save'], 'The copy of the catalog was not kept');
  }

  /** What ended since the last turn. */
  async #hear(): Promise<void> {
    const { db } = this.#catalog;
    for (;;) {
      const events = await readEvents(db, this.#seen, 500, { types: ['run.finished'] });
      for (const { seq, data } of events) {
        this.#seen = Math.max(this.#seen, seq);
        this.#unsaved = true;
        if (CHANGES.has(String(data.kind))) this.#changedAt = this.#world.clock.monotonic();
      }
      if (events.length < 500) return;
    }
  }

  async #look(): Promise<void> {
    const config = this.#world.configuration.current;
    for (const app of config.appNames) {
      this.#world.signal.throwIfAborted();
      const { labels } = await config.plan(app);
      const reaches = Object.entries(labels).every(([name, value]) => this.#labels[name] === value);
      if (reaches && (await this.#hasRole(app))) await this.#status(app);
    }
    if (await this.#hasRole('points')) await this.#try(['catalog', 'rebuild'], 'The points could not be listed');
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

  /** One process looks at one thing. */
  async #hasRole(what: string): Promise<boolean> {
    const lease = await takeLease(this.#catalog.db, `observe:${what}`, this.#holder, this.#world.clock.now(), ROLE);
    return lease !== undefined;
  }
}
