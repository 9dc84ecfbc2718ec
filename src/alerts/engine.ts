/**
 * Watches: follows events, looks at every app again and again, raises and resolves alerts, sends what is to be sent, and tells somebody
 * outside that it is alive. Any number of processes may run one; the one with the role does the work.
 */
import type { Clock } from '../base/clock.ts';
import { escalateOverdue, openAlerts } from '../catalog/alerts.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { dropLease, type RoleLease, takeLease } from '../catalog/leases.ts';
import type { AlertPolicy, ChannelSettings, DeadManSettings } from '../config/alert-settings.ts';
import { type ChannelWorld, post } from './channels.ts';
import { applyJudgement, goneSchedules, orphans } from './evaluate.ts';
import { appFacts, type KnownApp, serviceFacts } from './facts.ts';
import { followEvents } from './follow.ts';
import { judgeApp, judgeService } from './judge.ts';
import { routeNotices } from './router.ts';
import { Sender } from './sender.ts';

export type { KnownApp } from './facts.ts';

const ROLE = 'alerts';
const ROLE_MS = 30_000;
const RENEW_MS = 10_000;
const TICK_MS = 1_000;
/** Every app is looked at this often, news or not: ages grow without events. */
const SWEEP_MS = 60_000;
const SERVICE_MS = 15_000;
const APPS_PER_TICK = 50;
const ESCALATED_PER_TICK = 200;
const PING_TIMEOUT_MS = 10_000;

export interface AlertEngineDeps {
  readonly catalog: Catalog;
  readonly clock: Clock;
  /** Of this process; no other has it. */
  readonly holder: string;
  /** What the configuration says now. */
  policy(): Promise<AlertPolicy>;
  /** Throws `channel_unknown`, `secret_unavailable`. */
  channel(name: string): Promise<ChannelSettings>;
  deadMan(): Promise<DeadManSettings | undefined>;
  /** The apps and storages that are configured. */
  apps(): Promise<readonly KnownApp[]>;
  storages(): readonly string[];
  /** The name of this installation, for messages. */
  readonly source: string;
  /** Where the service is reached, for links. */
  baseUrl?(): Promise<string | undefined>;
  /** From 0 to 1; for the spread of retries. */
  random(): number;
  readonly lookup?: ChannelWorld['lookup'];
  onProblem(message: string, error: unknown): void;
}

export class AlertEngine {
  readonly #deps: AlertEngineDeps;
  /** Apps to look at; those with news are put in front. */
  #queue: string[] = [];
  #lease: RoleLease | undefined;
  #renewed = Number.NEGATIVE_INFINITY;
  #swept = Number.NEGATIVE_INFINITY;
  #looked = Number.NEGATIVE_INFINITY;
  #pinged = Number.NEGATIVE_INFINITY;

  constructor(deps: AlertEngineDeps) {
    this.#deps = deps;
  }

  /** Works until `signal` fires, then gives the role back. */
  async run(signal: AbortSignal): Promise<void> {
    const { catalog, clock, onProblem } = this.#deps;
    const sender = this.#sender(signal);
    while (!signal.aborted) {
      await this.tick(sender, signal).catch((error: unknown) => {
        if (!signal.aborted) onProblem('Alerts could not be looked after', error);
      });
      await clock.sleep(TICK_MS, signal).catch(() => {});
    }
    await sender.settled();
    if (this.#lease !== undefined) await dropLease(catalog.db, this.#lease).catch(() => {}); // it ends by itself
  }

  /** One round. False when another process has the role. */
  async tick(sender: Sender, signal: AbortSignal): Promise<boolean> {
    const { catalog, clock } = this.#deps;
    if (!(await this.#hold())) return false;
    const policy = await this.#deps.policy();
    const news = await followEvents(catalog, this.#lease!, policy, clock.now());
    if (news === undefined) {
      this.#renewed = Number.NEGATIVE_INFINITY;
      return false;
    }
    await this.#look(policy, news);
    await escalateOverdue(catalog.db, clock.now(), ESCALATED_PER_TICK);
    const baseUrl = await this.#deps.baseUrl?.();
    await routeNotices(catalog, { policy, ...(baseUrl === undefined ? {} : { baseUrl }) }, clock.now());
    await sender.pump();
    await this.#ping(signal);
    return true;
  }

  #sender(signal: AbortSignal): Sender {
    const { catalog, policy, channel, random, onProblem } = this.#deps;
    return new Sender({ catalog, policy, channel, random, onProblem, world: channelWorld(this.#deps, signal) });
  }

  async #hold(): Promise<boolean> {
    const { catalog, clock, holder } = this.#deps;
    if (clock.monotonic() - this.#renewed < RENEW_MS) return this.#lease !== undefined;
    this.#lease = await takeLease(catalog.db, ROLE, holder, clock.now(), ROLE_MS);
    this.#renewed = clock.monotonic();
    return this.#lease !== undefined;
  }

  /** Some apps, and now and then what belongs to none. */
  async #look(policy: AlertPolicy, news: ReadonlySet<string>): Promise<void> {
    const { catalog, clock } = this.#deps;
    const apps = new Map([...(await this.#deps.apps()), EVERYTHING].map((known) => [known.app, known]));
    this.#fill([...apps.keys()], news);
    const serviceDue = this.#isDue(this.#looked, SERVICE_MS);
    const some = this.#queue.splice(0, APPS_PER_TICK);
    if (some.length === 0 && !serviceDue) return;
    const open = await openAlerts(catalog.db);
    for (const app of some) {
      const known = apps.get(app);
      if (known === undefined) continue;
      const facts = await appFacts(catalog.db, known, clock.now());
      const { findings, fine } = judgeApp(facts, policy.rules);
      await applyJudgement(catalog, { findings, fine: [...fine, ...goneSchedules(open, facts)] }, open, facts.now);
    }
    if (!serviceDue) return;
    this.#looked = clock.monotonic();
    const storages = new Set(this.#deps.storages());
    const all = await serviceFacts(catalog, clock);
    const facts = { ...all, storages: all.storages.filter(({ storage }) => storages.has(storage)) };
    const { findings, fine } = judgeService(facts, policy.rules);
    const gone = orphans(open, { apps: new Set(apps.keys()), storages, rules: policy.rules });
    await applyJudgement(catalog, { findings, fine: [...fine, ...gone] }, open, facts.now);
  }

  #fill(all: readonly string[], news: ReadonlySet<string>): void {
    if (this.#queue.length === 0 && this.#isDue(this.#swept, SWEEP_MS)) {
      this.#swept = this.#deps.clock.monotonic();
      this.#queue = [...all];
    }
    this.#queue = [...new Set([...news, ...this.#queue])];
  }

  async #ping(signal: AbortSignal): Promise<void> {
    if (this.#pinged > Number.NEGATIVE_INFINITY && !this.#isDue(this.#pinged, TICK_MS)) return;
    const deadMan = await this.#deps.deadMan();
    if (deadMan === undefined || !this.#isDue(this.#pinged, deadMan.every)) return;
    this.#pinged = this.#deps.clock.monotonic();
    const { url, allowPrivate } = deadMan;
    const what = { url, allowPrivate, headers: {}, body: '', timeout: PING_TIMEOUT_MS, secrets: [url] };
    // nobody waits for it: a receiver that hangs must not hold up alerts
    post(what, channelWorld(this.#deps, signal)).catch((error: unknown) => {
      if (!signal.aborted) this.#deps.onProblem('The address of alerts.deadMan could not be pinged', error);
    });
  }

  #isDue(last: number, every: number): boolean {
    return this.#deps.clock.monotonic() - last >= every;
  }
}

/** What belongs to the repository as a whole. */
const EVERYTHING: KnownApp = { app: '*', objectives: {} };

export function channelWorld(
  { clock, source, lookup }: Pick<AlertEngineDeps, 'clock' | 'source' | 'lookup'>,
  signal: AbortSignal,
): ChannelWorld {
  return { clock, source, signal, ...(lookup === undefined ? {} : { lookup }) };
}
