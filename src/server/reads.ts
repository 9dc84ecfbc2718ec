/**
 * The repository, opened for requests that read: one set of keys and connections shared by all, opened again when the configuration was read
 * again, when a while has passed, or sooner when a storage could not be reached.
 */
import type { Clock } from '../base/clock.ts';
import { silent } from '../base/progress.ts';
import type { Configuration } from '../config/configuration.ts';
import { type OpenSession, openSession } from '../operations/open-session.ts';
import type { Session } from '../operations/session.ts';
import { Gate } from './gate.ts';

/** How long an opened repository is used, in ms: what a lost storage says is believed for less. */
const FRESH_MS = 60_000;
const FRESH_WITH_LOSS_MS = 5_000;

interface Opened {
  readonly config: Configuration;
  readonly since: number;
  readonly session: Promise<OpenSession>;
  users: number;
  retired: boolean;
}

export class Reads implements AsyncDisposable {
  readonly #config: () => Configuration;
  readonly #clock: Clock;
  readonly #gate: Gate;
  #current: Opened | undefined;
  #idle: NodeJS.Timeout | undefined;

  /** At most `most` at once; others wait for their turn. */
  constructor(config: () => Configuration, clock: Clock, most: number) {
    this.#config = config;
    this.#clock = clock;
    this.#gate = new Gate(most);
  }

  /** Does `work` on the opened repository; `signal` ends it. */
  async use<T>(signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T> {
    await using held = await this.hold(signal);
    return await work(held.session);
  }

  /** The same for work that goes on after an answer has begun: dispose of it when that has ended. */
  async hold(signal: AbortSignal): Promise<{ readonly session: Session } & AsyncDisposable> {
    const leave = await this.#gate.enter(signal);
    const opened = this.#take();
    const release = async () => {
      leave();
      await this.#release(opened);
    };
    try {
      const { repository, clock } = await opened.session;
      signal.throwIfAborted();
      return { session: { repository, clock, signal, progress: silent }, [Symbol.asyncDispose]: release };
    } catch (error) {
      await this.#retire(opened);
      await release();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#current !== undefined) await this.#retire(this.#current);
  }

  #take(): Opened {
    clearTimeout(this.#idle);
    const config = this.#config();
    const now = this.#clock.now();
    const known = this.#current;
    if (known !== undefined && known.config === config && now - known.since < FRESH_MS) {
      known.users += 1;
      return known;
    }
    if (known !== undefined) void this.#retire(known);
    const session = openSession(config, { clock: this.#clock, signal: new AbortController().signal, progress: silent });
    const opened: Opened = { config, since: now, session, users: 1, retired: false };
    this.#current = opened;
    session.then(
      ({ repository }) => {
        if (repository.lost.length > 0) setTimeout(() => void this.#retire(opened), FRESH_WITH_LOSS_MS).unref();
      },
      () => {}, // whoever uses it hears of it
    );
    return opened;
  }

  async #release(opened: Opened): Promise<void> {
    opened.users -= 1;
    if (opened.users > 0) return;
    if (opened.retired) await close(opened);
    else this.#idle = setTimeout(() => void this.#retire(opened), FRESH_MS).unref();
  }

  /** Nobody new gets it; the last one who has it closes it. */
  async #retire(opened: Opened): Promise<void> {
    if (opened.retired) return;
    opened.retired = true;
    if (this.#current === opened) this.#current = undefined;
    if (opened.users === 0) await close(opened);
  }
}

async function close({ session }: Opened): Promise<void> {
  await session.then(
    (open) => open[Symbol.asyncDispose](),
    () => {}, // it never opened
  );
}
