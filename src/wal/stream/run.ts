/** The life of a stream: begin, connect, follow, and connect again, until it is stopped. */
import type { Clock } from '../../base/clock.ts';
import { asFailure, type Failure } from '../../base/failure.ts';
import { formatBytes } from '../../base/sizes.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import type { WalSubscription } from '../../postgres/wal-subscription.ts';
import type { WalArchive } from '../archive.ts';
import { recordGap, trimGaps, type WalGap } from '../gaps.ts';
import type { Spool } from '../spool.ts';
import type { StreamWalOptions, StreamWalOutcome } from '../stream.ts';
import { Archiver } from './archiver.ts';
import { whereToBegin } from './begin.ts';
import { Backoff, isFatal, openSubscription } from './connect.ts';
import { Intake } from './intake.ts';
import { Reporter } from './reporter.ts';
import type { Position } from './route.ts';
import { Session, type SessionEnding } from './session.ts';
import { guardSlot, type SlotReading } from './slot-guard.ts';

/** At the end, this long for what is still on its way, in ms. The spool has it anyway. */
const GRACE_MS = 10_000;
/** A connection that does not end as asked is cut after this, in ms. */
const STOP_MS = 5_000;

type Gap = Omit<WalGap, 'systemIdentifier'>;

export class Stream {
  readonly #options: StreamWalOptions & { readonly clock: Clock };
  readonly #spool: Spool;
  readonly #archive: WalArchive;
  readonly #archiver: Archiver;
  readonly #intake: Intake;
  readonly #reporter: Reporter;
  readonly #backoff: Backoff;
  /** Ends whatever is still under way. */
  readonly #over = new AbortController();
  #broken: Failure | undefined;
  #connection: AbortController | undefined;
  #subscription: WalSubscription | undefined;
  #wasConnected = false;
  /** The slot was given up: we stream without one until we have caught up. */
  #withoutSlot = false;
  #givingUp: bigint | undefined;
  /** A gap that is feared only. */
  #feared: Gap | undefined;
  #gaps = 0;
  /** Changes of the book of gaps, one after the other. */
  #book: Promise<void> = Promise.resolve();
  #synchronous = false;
  /** The server was not in recovery when it was last asked. */
  #wasPrimary = false;

  constructor(options: StreamWalOptions & { readonly clock: Clock }, parts: { spool: Spool; archive: WalArchive }) {
    const { clock, flushEvery, acknowledge, requiredCopies, progress, pid, app, source, slot } = options;
    const { spool, archive } = parts;
    const onError = (error: unknown) => this.#break(error);
    this.#options = options;
    this.#spool = spool;
    this.#archive = archive;
    this.#backoff = new Backoff(clock);
    this.#archiver = new Archiver({
      ...{ archive, spool, clock, flushEvery, acknowledge, onError },
      signal: this.#over.signal,
      required: requiredCopies,
      onChange: () => this.#changed(),
    });
    this.#intake = new Intake({
      ...{ spool, archiver: this.#archiver, onError },
      // A segment must fit twice, or it could never be completed and leave.
      limit: Math.max(options.spool.limit, 3 * spool.cluster!.segmentSize),
      isSynchronous: () => this.#synchronous,
      onPause: (reason) => this.#paused(reason),
    });
    this.#reporter = new Reporter({
      ...{ spool, clock, progress, archiver: this.#archiver, intake: this.#intake },
      about: { pid, app, source, slot },
    });
  }

  async run(): Promise<StreamWalOutcome> {
    const { stop } = this.#options;
    const onStop = () => this.#stop();
    stop.addEventListener('abort', onStop, { once: true });
    try {
      let position = await this.#begin();
      const guard = this.#guard();
      while (!stop.aborted && this.#broken === undefined) position = await this.#session(position);
      if (this.#broken !== undefined) throw this.#broken;
      const outcome = await this.#finish();
      this.#over.abort();
      await guard;
      return outcome;
    } catch (error) {
      const failure = asFailure(error);
      if (failure.code !== 'spool_failed') await this.#handOver().catch(() => {});
      await this.#reporter.close('failed', `The stream ended: ${failure.message}`, failure.message);
      throw failure;
    } finally {
      stop.removeEventListener('abort', onStop);
      this.#over.abort();
      this.#intake.close();
      this.#archiver.close();
    }
  }

  #begin(): Promise<Position | undefined> {
    return whereToBegin({
      ...{ archive: this.#archive, archiver: this.#archiver, spool: this.#spool },
      copies: this.#options.requiredCopies,
      note: (message) => this.#reporter.note(message),
    });
  }

  /** One connection, and a pause when it failed. Returns where to go on. */
  async #session(position: Position | undefined): Promise<Position | undefined> {
    const { stop } = this.#options;
    try {
      const ending = await this.#connected(position);
      if (ending === 'shutdown') {
        this.#reporter.status('waiting', 'The server ended the stream: it shuts down.');
        await this.#backoff.pause(stop);
      }
    } catch (error) {
      const failure = asFailure(error);
      if (this.#broken === undefined && !stop.aborted && this.#givingUp === undefined) await this.#retry(failure);
    }
    if (this.#givingUp !== undefined && !stop.aborted) await this.#giveUpSlot();
    return this.#spool.timeline === 0 ? position : { timeline: this.#spool.timeline, lsn: this.#spool.received };
  }

  async #connected(position: Position | undefined): Promise<SessionEnding> {
    const { slot } = this.#options;
    const connection = new AbortController();
    this.#connection = connection;
    try {
      await using subscription = await openSubscription(this.#options, connection.signal);
      const { systemIdentifier } = subscription.identity;
      await this.#spool.adopt({ systemIdentifier, segmentSize: subscription.segmentSize });
      this.#wasConnected = true;
      this.#subscription = subscription;
      const session = new Session({
        ...{ subscription, spool: this.#spool, archiver: this.#archiver, intake: this.#intake },
        ...{ reporter: this.#reporter, position, stop: this.#options.stop },
        slot: this.#withoutSlot ? undefined : slot,
        slotFate: this.#feared?.reason,
        recordGap: (gap) => this.#lost(gap),
        onFlowing: () => this.#flowing(),
      });
      return await session.run();
    } finally {
      this.#subscription = undefined;
      this.#connection = undefined;
      this.#intake.attach(undefined);
    }
  }

  async #retry(failure: Failure): Promise<void> {
    if (isFatal(failure, this.#wasConnected)) throw failure;
    this.#reporter.status('waiting', `${failure.message} It is tried again.`, failure.message);
    if (failure.code === 'postgres_wal_gone') this.#withoutSlot = false;
    await this.#backoff.pause(this.#options.stop);
  }

  #flowing(): void {
    this.#backoff.reset();
    if (!this.#withoutSlot) this.#unfear();
  }

  #stop(): void {
    const connection = this.#connection;
    if (this.#subscription === undefined) connection?.abort();
    else {
      this.#subscription.stop();
      setTimeout(() => connection?.abort(), STOP_MS).unref();
    }
  }

  /** Nothing can be received any more. */
  #break(error: unknown): void {
    this.#broken ??= asFailure(error);
    this.#connection?.abort();
  }

  #changed(): void {
    this.#reporter.storages();
    this.#intake.changed();
  }

  #paused(reason: 'limit' | 'full' | undefined): void {
    if (reason === undefined) {
      if (this.#subscription !== undefined)
        this.#reporter.status('streaming', 'There is room again: receiving goes on.');
      return;
    }
    const held = formatBytes(this.#spool.bytes);
    const why =
      reason === 'full'
        ? 'The disk of the spool is full'
        : `The spool holds ${held}, as much as it may (wal.spoolLimit)`;
    this.#reporter.status('paused', `${why}: receiving is paused, and the server keeps its WAL.`, why);
  }

  #guard(): Promise<void> {
    const { connection, slot, slotLimit, slotCheckMs, clock } = this.#options;
    return guardSlot({
      ...(slotCheckMs === undefined ? {} : { everyMs: slotCheckMs }),
      ...{ connection, slot, clock, limit: slotLimit, signal: this.#over.signal },
      onReading: (reading) => this.#read(reading),
      warn: (message, hint) => this.#reporter.warn(message, hint),
      giveUp: (bytes) => {
        if (this.#withoutSlot) return;
        this.#givingUp = bytes;
        this.#connection?.abort();
      },
    });
  }

  #read(reading: SlotReading): void {
    const { keptBytes, serverEnd, synchronousStandbyNames, inRecovery } = reading;
    const { slot, slotLimit } = this.#options;
    const isSynchronous = namesUs(synchronousStandbyNames, slot);
    if (isSynchronous && !this.#synchronous)
      this.#reporter.note('This stream is a synchronous standby: commits of the server wait for it.');
    this.#synchronous = isSynchronous;
    if (inRecovery && this.#wasPrimary) {
      this.#reporter.warn(
        'The server was a primary and is a standby now: it was demoted, and gets its log from another server.',
        'Point the URL of the source at the new primary.',
      );
    }
    this.#wasPrimary = !inRecovery;
    this.#reporter.circumstances.slotBytes = keptBytes;
    this.#reporter.circumstances.synchronous = this.#synchronous;
    if (serverEnd !== null) this.#intake.serverEnd(serverEnd);
    const isSame = this.#subscription !== undefined && reading.timeline === this.#spool.timeline;
    if (isSame && serverEnd !== null && serverEnd <= this.#spool.received)
      this.#reporter.circumstances.level = reading.asked;
    const behind = (serverEnd ?? 0n) - this.#spool.received;
    if (!this.#withoutSlot || serverEnd === null || behind > BigInt(slotLimit) / 4n) return;
    this.#withoutSlot = false;
    this.#subscription?.stop();
  }

  /** The disk of the server comes first: without the slot it may remove what we have not received. */
  async #giveUpSlot(): Promise<void> {
    const { slot } = this.#options;
    const kept = formatBytes(Number(this.#givingUp));
    this.#givingUp = undefined;
    try {
      await using subscription = await openSubscription(this.#options, this.#over.signal);
      await subscription.dropSlot(slot);
    } catch (error) {
      this.#reporter.warn(`Slot ${slot} should be given up, and could not be removed: ${asFailure(error).message}`);
      return;
    }
    this.#withoutSlot = true;
    const { timeline, received } = this.#spool;
    const detail = `Slot ${slot} made the server keep ${kept} and was given up at ${formatLsn(received)}.`;
    this.#feared = { timeline, start: received, end: undefined, reason: 'slot_given_up', detail };
    this.#record(this.#feared);
    this.#reporter.warn(
      `${detail} WAL that the server removes from now on is lost.`,
      'Mend what holds the stream up ("holdfast wal status"). Moments after lost WAL need a new base backup.',
    );
  }

  #lost(gap: Gap): void {
    this.#gaps += 1;
    this.#reporter.circumstances.gaps = this.#gaps;
    this.#unfear();
    this.#withoutSlot = false;
    this.#record(gap);
  }

  /** What was feared is known by now: nothing is missing, or exactly what is on record. */
  #unfear(): void {
    const feared = this.#feared;
    if (feared === undefined) return;
    this.#feared = undefined;
    const { systemIdentifier, repository } = this.#archive;
    const isOver = ({ timeline, start, end, ...gap }: WalGap) =>
      end === undefined &&
      start === feared.start &&
      timeline === feared.timeline &&
      gap.systemIdentifier === systemIdentifier;
    this.#inBook(() => trimGaps(repository, isOver));
  }

  #record(gap: Gap): void {
    const { systemIdentifier, repository } = this.#archive;
    this.#inBook(async () => {
      await recordGap(repository, { systemIdentifier, ...gap });
      if (gap.end !== undefined) this.#options.onGap?.();
    });
  }

  /** One change of the book after the other, each again and again until a storage takes it. */
  #inBook(change: () => Promise<void>): void {
    const backoff = new Backoff(this.#options.clock);
    const { signal } = this.#over;
    this.#book = this.#book.then(async () => {
      while (!signal.aborted) {
        try {
          return await change();
        } catch {
          await backoff.pause(signal);
        }
      }
    });
  }

  /** Everything that was received goes to the storages, as far as they take it in a few seconds. */
  async #handOver(): Promise<void> {
    this.#archiver.slice();
    await this.#spool.flush();
    const enough = new AbortController();
    const everything = Promise.all([this.#archiver.settled(), this.#book]);
    await Promise.race([everything, this.#options.clock.sleep(GRACE_MS, enough.signal).catch(() => {})]);
    enough.abort();
  }

  async #finish(): Promise<StreamWalOutcome> {
    const { requiredCopies } = this.#options;
    await this.#handOver();
    const stored = this.#archiver.storedIn(requiredCopies);
    const waiting = this.#archiver.queues.filter(({ pending }) => pending > 0);
    const rest = waiting.map(({ name, pending }) => `${pending} objects for ${name}`).join(', ');
    const tail = rest === '' ? '' : ` The spool keeps ${rest}.`;
    await this.#reporter.close('stopped', `Stopped as asked: WAL is stored up to ${formatLsn(stored)}.${tail}`);
    return {
      systemIdentifier: this.#archive.systemIdentifier,
      timeline: this.#spool.timeline,
      received: this.#spool.received,
      stored,
      gaps: this.#gaps,
      failures: new Map(waiting.flatMap(({ name, failure }) => (failure === undefined ? [] : [[name, failure]]))),
    };
  }
}

/** Whether the setting counts a standby of this name: by name, or any. */
function namesUs(setting: string, name: string): boolean {
  const names: readonly string[] = setting.toLowerCase().match(/[a-z0-9_]+|\*/g) ?? [];
  return names.includes(name) || names.includes('*');
}
