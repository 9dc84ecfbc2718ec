/** The events of a base backup as its consumer wants them: damage gathered from warnings, errors thrown, the rest in order. */
import { Failure } from '../../base/failure.ts';
import { type DamagedPages, damageFromNotice } from '../damage.ts';
import { type ServerMessage, serverFailure } from '../server-error.ts';
import type { BackupEvent } from './backup-stream.ts';
import type { Inbox } from './inbox.ts';
import { malformed } from './messages.ts';

export class EventReader {
  readonly #inbox: Inbox<BackupEvent>;
  readonly #damaged = new Map<string, DamagedPages>();
  #peeked: BackupEvent | undefined;
  #release: (() => void) | undefined;

  constructor(inbox: Inbox<BackupEvent>) {
    this.#inbox = inbox;
  }

  /** The next event that is neither notice nor progress; throws what the server reports. */
  async next(): Promise<BackupEvent> {
    const event = await this.#raw();
    if (event.kind === 'error') throw this.#failure(event.error);
    return event;
  }

  /** The next archive bytes, valid until the next call; `undefined` before anything else. */
  async data(): Promise<Buffer | undefined> {
    this.#release?.();
    this.#release = undefined;
    const event = await this.#dataEvent();
    this.#release = event?.release;
    return event?.bytes;
  }

  async #dataEvent(): Promise<Extract<BackupEvent, { kind: 'data' }> | undefined> {
    const event = await this.next();
    if (event.kind === 'data') return event;
    this.#peeked = event;
    return undefined;
  }

  async rows(): Promise<readonly (string | null)[][]> {
    let event = await this.next();
    while (event.kind === 'copyDone') event = await this.next();
    if (event.kind !== 'result') throw malformed('backup answer');
    return event.rows;
  }

  /** All bytes up to what is not data, at most `limit`: the manifest. */
  async collect(limit: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    let total = 0;
    for (let part = await this.#dataEvent(); part; part = await this.#dataEvent()) {
      parts.push(part.bytes);
      total += part.bytes.length;
      if (total > limit) throw malformed('manifest (too long)');
    }
    return Buffer.concat(parts, total);
  }

  /** Reads to ReadyForQuery. Damaged pages end the command with XX001 after everything was sent: that is an answer, not a failure. */
  async finish(): Promise<readonly DamagedPages[]> {
    for (;;) {
      const event = await this.#raw();
      if (event.kind === 'ready') return [...this.#damaged.values()];
      if (event.kind !== 'error') continue;
      if (event.error.sqlstate !== 'XX001') throw this.#failure(event.error);
      if (this.#damaged.size === 0) this.#note(event.error);
    }
  }

  async #raw(): Promise<BackupEvent> {
    for (;;) {
      const event = this.#peeked ?? (await this.#inbox.take());
      this.#peeked = undefined;
      if (!event) throw new Failure('postgres_backup_failed', 'The base backup ended early.');
      if (event.kind === 'notice') this.#note(event.notice);
      else if (event.kind !== 'progress') return event;
    }
  }

  #note(notice: ServerMessage): void {
    damageFromNotice(notice, this.#damaged);
  }

  #failure(error: ServerMessage): Failure {
    const failure = serverFailure(error, 'The base backup', 'postgres_backup_failed');
    if (failure.hint || failure.code !== 'postgres_backup_failed') return failure;
    return new Failure(failure.code, failure.message, {
      hint: "Run the backup again; the server's log says more about what happened.",
      details: failure.details,
    });
  }
}
