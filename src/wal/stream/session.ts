/**
 * One connection to the server: is it ours, is there a slot, where do we go on, and then timeline after timeline until it ends. What the
 * server no longer has becomes a gap on record, never a silent hole.
 */
import { Failure, isFailure } from '../../base/failure.ts';
import { formatLsn, type Lsn, segmentStart } from '../../postgres/lsn.ts';
import type { WalSubscription } from '../../postgres/wal-subscription.ts';
import type { GapReason } from '../gaps.ts';
import type { Spool } from '../spool.ts';
import { type Ancestor, parseHistory } from '../timelines.ts';
import type { Archiver } from './archiver.ts';
import type { Intake } from './intake.ts';
import type { Reporter } from './reporter.ts';
import { type Position, routeFrom, stepsTo } from './route.ts';

export interface SessionOptions {
  readonly subscription: WalSubscription;
  readonly spool: Spool;
  readonly archiver: Archiver;
  readonly intake: Intake;
  readonly reporter: Reporter;
  /** Undefined: streams without one, as long as the server happens to have what is needed. */
  readonly slot: string | undefined;
  /** Where to go on; undefined at the very beginning. */
  readonly position: Position | undefined;
  /** Why there is no slot any more that there was, when that is known. */
  readonly slotFate: GapReason | undefined;
  readonly recordGap: (gap: { timeline: number; start: Lsn; end: Lsn; reason: GapReason; detail: string }) => void;
  /** WAL flows from where it ended: nothing was lost. */
  readonly onFlowing: () => void;
  /** Fired when the stream shall end. */
  readonly stop: AbortSignal;
}

export type SessionEnding = 'stopped' | 'shutdown';

export class Session {
  readonly #options: SessionOptions;
  #ancestors: readonly Ancestor[] = [];
  /** What became of the slot, should WAL be missing. */
  #fate: GapReason;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#fate = options.slotFate ?? 'slot_missing';
  }

  async run(): Promise<SessionEnding> {
    const { subscription, archiver } = this.#options;
    await this.#histories(subscription.identity.timeline);
    const restart = await this.#ensureSlot();
    let here = await this.#begin(restart);
    for (;;) {
      if (this.#options.stop.aborted) return 'stopped';
      const ending = await this.#follow(here);
      if (ending === 'gone') {
        here = await this.#overGap(here);
        continue;
      }
      if (ending.kind !== 'timeline') return ending.kind;
      archiver.finish();
      await this.#histories(ending.next);
      this.#options.reporter.note(`The server went over to timeline ${ending.next} at ${formatLsn(ending.at)}.`);
      here = this.#enter({ timeline: ending.next, lsn: this.#segment(ending.at) });
    }
  }

  /** Stores the history of a timeline and of every ancestor: one that is missing would let a recovery stop at an older timeline, in silence. */
  async #histories(timeline: number): Promise<void> {
    const { subscription, archiver } = this.#options;
    this.#ancestors = [];
    if (timeline === 1) return;
    const own = await subscription.history(timeline);
    if (own === undefined) return this.#options.reporter.warn(`The server has no history of timeline ${timeline}.`);
    this.#ancestors = parseHistory(own, timeline);
    archiver.storeHistory(timeline, own);
    for (const ancestor of this.#ancestors) {
      if (ancestor.timeline === 1 || archiver.hasHistory(ancestor.timeline)) continue;
      const bytes = await subscription.history(ancestor.timeline);
      if (bytes !== undefined) archiver.storeHistory(ancestor.timeline, bytes);
    }
  }

  /** From where on the slot keeps WAL; undefined without one. A slot that was invalidated is made anew. */
  async #ensureSlot(): Promise<Lsn | undefined> {
    const { subscription, slot, position, reporter } = this.#options;
    if (slot === undefined) return undefined;
    const found = await subscription.readSlot(slot);
    if (found?.restartLsn !== undefined) return found.restartLsn;
    if (found !== undefined) {
      this.#fate = 'slot_lost';
      await subscription.dropSlot(slot);
    }
    await subscription.createSlot(slot);
    const restart = (await subscription.readSlot(slot))?.restartLsn;
    if (position !== undefined) {
      const fate = found === undefined ? 'was not there' : 'had been invalidated';
      reporter.warn(`Slot ${slot} ${fate} and was made anew; whether WAL is missing shows now.`);
    } else reporter.note(`Slot ${slot} was made.`);
    return restart;
  }

  async #begin(restart: Lsn | undefined): Promise<Position> {
    const { subscription, position, reporter } = this.#options;
    const { timeline } = subscription.identity;
    if (position === undefined) {
      if (restart === undefined)
        throw new Failure('postgres_protocol', 'The server does not say where its slot stands.');
      return this.#enter({ timeline, lsn: this.#segment(restart) });
    }
    const route = routeFrom(position, timeline, this.#ancestors);
    if (route.kind === 'continue') return position;
    if (route.kind === 'behind') throw demoted(position.timeline, timeline);
    const end = formatLsn(position.lsn);
    const from = `timeline ${position.timeline} was received up to ${end}`;
    if (route.kind === 'forked')
      reporter.warn(
        `The server left timeline ${position.timeline} at ${formatLsn(route.at)}, but ${from}: transactions in between are not in the server.`,
      );
    else
      reporter.warn(
        `The server is on timeline ${route.next}, which does not come from ours: it was recovered to an earlier moment (${from}).`,
      );
    return this.#enter({ timeline: route.next, lsn: this.#segment(route.at) });
  }

  /** Goes on with another stretch of log. */
  #enter(position: Position): Position {
    const { spool, archiver } = this.#options;
    archiver.begin(position.timeline, position.lsn);
    spool.begin(position.timeline, position.lsn);
    return position;
  }

  async #follow(here: Position) {
    const { subscription, intake, slot, reporter, spool, onFlowing } = this.#options;
    intake.attach(subscription);
    const start = this.#segment(here.lsn);
    const before = spool.received;
    const sink = {
      wal: (at: Lsn, bytes: Buffer) => {
        intake.wal(at, bytes);
        if (spool.received > before) onFlowing();
      },
      serverEnd: (end: Lsn) => intake.serverEnd(end),
      flush: () => intake.flush(),
      positions: () => intake.positions(),
      isAwaited: () => intake.isAwaited(),
    };
    reporter.status('streaming', `Streaming from ${formatLsn(start)} of timeline ${here.timeline}.`);
    try {
      return await subscription.follow({ slot, timeline: here.timeline, start, sink });
    } catch (error) {
      if (isFailure(error, 'postgres_wal_gone')) return 'gone';
      throw error;
    }
  }

  /**
   * The server does not have what comes next. Along the way from our timeline to the server's, the first segment that is kept is looked
   * for; every stretch before it is put on record.
   */
  async #overGap(here: Position): Promise<Position> {
    const { subscription, slot, spool } = this.#options;
    const kept = slot === undefined ? undefined : (await subscription.readSlot(slot))?.restartLsn;
    const start = spool.timeline === here.timeline ? spool.received : here.lsn;
    for (const [i, step] of stepsTo(
      subscription.identity.timeline,
      { ...here, lsn: start },
      this.#ancestors,
    ).entries()) {
      const first = this.#segment(step.start) + (i === 0 ? BigInt(subscription.segmentSize) : 0n);
      const last = step.end ?? kept;
      const found = last === undefined ? undefined : await this.#firstKept(step.timeline, first, this.#segment(last));
      const end = found ?? step.end;
      if (end !== undefined && end > step.start) this.#lost({ timeline: step.timeline, start: step.start, end });
      if (found !== undefined) return this.#enter({ timeline: step.timeline, lsn: found });
    }
    throw new Failure('postgres_wal_gone', 'The server has removed WAL that was not received.');
  }

  /** The first of some segments that the server still has: it removes the oldest ones first. */
  async #firstKept(timeline: number, first: Lsn, last: Lsn): Promise<Lsn | undefined> {
    const { subscription } = this.#options;
    const size = BigInt(subscription.segmentSize);
    if (first > last || !(await subscription.has(timeline, last))) return undefined;
    let [low, high] = [first / size, last / size];
    while (low < high) {
      const middle = (low + high) / 2n;
      if (await subscription.has(timeline, middle * size)) high = middle;
      else low = middle + 1n;
    }
    return high * size;
  }

  #lost({ timeline, start, end }: { timeline: number; start: Lsn; end: Lsn }): void {
    const { reporter, recordGap } = this.#options;
    const detail = `The server no longer had the WAL from ${formatLsn(start)} to ${formatLsn(end)} of timeline ${timeline}.`;
    recordGap({ timeline, start, end, reason: this.#fate, detail });
    reporter.warn(
      `WAL is lost: ${detail}`,
      'Moments after the gap need a new base backup. The stream has one made; with "baseAfterGap: false" run "holdfast backup" now.',
    );
  }

  #segment(position: Lsn): Lsn {
    return segmentStart(position, this.#options.subscription.segmentSize);
  }
}

function demoted(ours: number, servers: number): Failure {
  return new Failure(
    'wal_diverged',
    `The server is on timeline ${servers}, and WAL of timeline ${ours} was received before.`,
    {
      hint: 'It is a node from before a failover, or a copy of the past. Point the URL of the source at the primary that is in use.',
    },
  );
}
