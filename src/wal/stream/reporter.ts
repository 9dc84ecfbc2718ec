/** Tells how a stream is doing: to the operator through progress, to other programs through the state file. */
import type { Clock } from '../../base/clock.ts';
import type { Progress } from '../../base/progress.ts';
import { formatLsn, type Lsn } from '../../postgres/lsn.ts';
import type { Spool } from '../spool.ts';
import { type StreamState, type StreamStatus, writeStreamState } from '../stream-state.ts';
import type { Archiver } from './archiver.ts';
import type { Intake } from './intake.ts';

export interface ReporterOptions {
  readonly spool: Spool;
  readonly archiver: Archiver;
  readonly intake: Intake;
  readonly clock: Clock;
  readonly progress: Progress;
  readonly about: { readonly pid: number; readonly app: string; readonly source: string; readonly slot: string };
}

/** What the reporter cannot see for itself. */
export interface Circumstances {
  slotBytes: bigint | null;
  synchronous: boolean;
  gaps: number;
  level: number | null;
}

const STEP = 'wal';
const EVERY_MS = 1_000;

export class Reporter {
  readonly circumstances: Circumstances = { slotBytes: null, synchronous: false, gaps: 0, level: null };
  readonly #options: ReporterOptions;
  readonly #timer: NodeJS.Timeout;
  readonly #failing = new Map<string, string>();
  #status: StreamStatus = 'connecting';
  #since: number;
  #message = '';
  #lastError: string | null = null;
  #writing: Promise<void> = Promise.resolve();
  #receivedBytes = 0n;
  #last: Lsn | undefined;

  constructor(options: ReporterOptions) {
    this.#options = options;
    this.#since = options.clock.now();
    options.progress({ type: 'step', step: STEP, title: 'WAL stream', endless: true });
    this.#timer = setInterval(() => this.#tick(), EVERY_MS);
  }

  /** A change of state, said once. */
  status(status: StreamStatus, message: string, error?: string): void {
    if (error !== undefined) this.#lastError = error;
    if (status === this.#status && message === this.#message) return;
    if (status !== this.#status) this.#since = this.#options.clock.now();
    this.#status = status;
    this.#message = message;
    this.#options.progress({ type: 'note', message });
    void this.write();
  }

  warn(message: string, hint?: string): void {
    this.#lastError = message;
    this.#options.progress({ type: 'warning', message, ...(hint === undefined ? {} : { hint }) });
  }

  note(message: string): void {
    this.#options.progress({ type: 'note', message });
  }

  /** Says which storages began or ceased to fail. */
  storages(): void {
    const { progress, archiver } = this.#options;
    for (const { name, failure, pending } of archiver.queues) {
      const before = this.#failing.get(name);
      if (failure === undefined && before !== undefined) {
        this.#failing.delete(name);
        progress({ type: 'note', message: `${name}: takes WAL again; ${pending} objects to go.` });
      }
      if (failure === undefined || before !== undefined) continue;
      this.#failing.set(name, failure.message);
      const hint = failure.hint === undefined ? {} : { hint: failure.hint };
      progress({ type: 'warning', storage: name, message: `${failure.message} WAL waits for it.`, ...hint });
    }
  }

  /** Writes the state; never rejects: a full disk must not stop the stream. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() =>
      writeStreamState(this.#options.spool.directory, this.#state()).catch(() => {}),
    );
    return this.#writing;
  }

  async close(status: 'stopped' | 'failed', message: string, error?: string): Promise<void> {
    clearInterval(this.#timer);
    this.#advance();
    this.status(status, message, error);
    this.#options.progress({ type: 'done', step: STEP, outcome: status === 'stopped' ? 'done' : 'failed' });
    await this.write();
  }

  #tick(): void {
    this.#advance();
    void this.write();
  }

  #advance(): void {
    const { spool, progress, archiver, intake } = this.#options;
    const { received } = spool;
    if (this.#last !== undefined && received > this.#last) this.#receivedBytes += received - this.#last;
    this.#last = received;
    const stored = archiver.storedIn(1);
    const behind = intake.end !== undefined && intake.end > stored && stored > 0n ? intake.end - stored : 0n;
    const current = `timeline ${spool.timeline}, ${formatLsn(received)} received, ${formatLsn(stored)} stored, ${behind} bytes behind`;
    progress({ type: 'advance', step: STEP, bytes: Number(this.#receivedBytes), current });
  }

  #state(): StreamState {
    const { spool, archiver, intake, clock, about } = this.#options;
    const { timeline } = spool;
    const lsn = (position: Lsn | undefined) => (position === undefined || timeline === 0 ? null : formatLsn(position));
    const storages = archiver.queues.map((queue) => [
      queue.name,
      {
        stored: lsn(queue.end(timeline)),
        lastCommit: queue.lastCommit(timeline)?.toString() ?? null,
        pending: queue.pending,
        error: queue.failure?.message ?? null,
      },
    ]);
    return {
      format: 1,
      ...about,
      systemIdentifier: spool.cluster?.systemIdentifier ?? null,
      timeline: timeline === 0 ? null : timeline,
      status: this.#status,
      since: this.#since,
      updated: clock.now(),
      server: lsn(intake.end),
      received: lsn(spool.received),
      durable: lsn(spool.durable),
      acknowledged: lsn(intake.acknowledged),
      lastCommitReceived: archiver.cutter?.lastCommit?.toString() ?? null,
      commitsEnd: lsn(archiver.cutter?.commitsEnd),
      level: this.circumstances.level,
      storages: Object.fromEntries(storages),
      spoolBytes: spool.bytes,
      slotBytes: this.circumstances.slotBytes === null ? null : Number(this.circumstances.slotBytes),
      synchronous: this.circumstances.synchronous,
      gaps: this.circumstances.gaps,
      lastError: this.#lastError,
    };
  }
}
