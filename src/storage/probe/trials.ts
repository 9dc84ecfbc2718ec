/** The experiments behind the guarantees: each does what a run would do and tells whether the storage kept its promise. */
import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { isFailure } from '../../base/failure.ts';
import type { CallOptions, ObjectStore } from '../object-store.ts';

/** Objects tried per guarantee, and contenders per race: stale answers and lucky races do not come every time. */
const ROUNDS = 4;
const CONTENDERS = 6;
/** Large enough that writers at the same moment really overlap, in bytes. */
const CONTENDED_BYTES = 16 * 1024;
const LOCK_FOR_MS = 60_000;

export class Trials {
  readonly #store: ObjectStore;
  readonly #call: CallOptions;
  readonly #prefix = `probe/${randomBytes(8).toString('hex')}`;
  readonly #put = new Set<string>();

  constructor(store: ObjectStore, call: CallOptions) {
    this.#store = store;
    this.#call = call;
  }

  async readsAfterWrite(): Promise<boolean> {
    return this.#everyRound(async (key) => {
      // Asking first lets a cache remember that the object is not there.
      await this.#store.stat(key, this.#call);
      return this.#reads(key, await this.#write(key));
    });
  }

  async listsAfterWrite(): Promise<boolean> {
    return this.#everyRound(async (key) => {
      await this.#lists(key);
      await this.#write(key);
      return this.#lists(key);
    });
  }

  async readsAfterOverwrite(): Promise<boolean> {
    return this.#everyRound(async (key) => {
      await this.#reads(key, await this.#write(key));
      return this.#reads(key, await this.#write(key));
    });
  }

  async readsRanges(): Promise<boolean> {
    const key = this.#key('range');
    const bytes = await this.#write(key);
    try {
      const part = await this.#store.get(key, { offset: 1000, length: 500 }, this.#call);
      return Buffer.compare(part, bytes.subarray(1000, 1500)) === 0;
    } catch (error) {
      if (isFailure(error, 'storage_misbehaves', 'data_damaged', 'object_missing')) return false;
      throw error;
    }
  }

  async forgetsAfterDelete(): Promise<boolean> {
    return this.#everyRound(async (key) => {
      await this.#write(key);
      await this.#store.delete(key, this.#call);
      return (await this.#store.stat(key, this.#call)) === undefined && !(await this.#lists(key));
    });
  }

  async createsConditionally(): Promise<boolean> {
    return this.#everyRound(async (key) => {
      const bodies = Array.from({ length: CONTENDERS }, () => randomBytes(CONTENDED_BYTES));
      const won = await Promise.all(bodies.map((body) => this.#create(key, body)));
      const winners = bodies.filter((_, index) => won[index]);
      return winners.length === 1 && this.#reads(key, winners[0]!);
    });
  }

  async locks(clock: Clock): Promise<boolean> {
    const key = this.#key('lock');
    const until = clock.now() + LOCK_FOR_MS;
    this.#put.add(key);
    try {
      await this.#store.put(key, randomBytes(100), { ...this.#call, retainUntil: until });
      const info = await this.#store.stat(key, this.#call);
      return info?.retainedUntil !== undefined && info.retainedUntil >= until;
    } catch (error) {
      if (isFailure(error, 'storage_refused')) return false;
      throw error;
    }
  }

  /** Best effort: what stays is small, and harmless under this prefix. */
  async cleanUp(): Promise<void> {
    await Promise.allSettled([...this.#put].map((key) => this.#store.delete(key)));
  }

  async #everyRound(round: (key: string) => Promise<boolean>): Promise<boolean> {
    for (let number = 0; number < ROUNDS; number++) {
      if (!(await round(this.#key(String(this.#put.size))))) return false;
    }
    return true;
  }

  #key(name: string): string {
    return `${this.#prefix}-${name}`;
  }

  async #write(key: string): Promise<Buffer> {
    const bytes = randomBytes(4000);
    this.#put.add(key);
    await this.#store.put(key, bytes, this.#call);
    return bytes;
  }

  async #create(key: string, body: Uint8Array): Promise<boolean> {
    this.#put.add(key);
    try {
      await this.#store.put(key, body, { ...this.#call, ifAbsent: true });
      return true;
    } catch (error) {
      if (isFailure(error, 'object_exists')) return false;
      throw error;
    }
  }

  async #reads(key: string, bytes: Uint8Array): Promise<boolean> {
    try {
      return Buffer.compare(await this.#store.get(key, undefined, this.#call), bytes) === 0;
    } catch (error) {
      if (isFailure(error, 'object_missing')) return false;
      throw error;
    }
  }

  async #lists(key: string): Promise<boolean> {
    for await (const page of this.#store.list(this.#prefix, this.#call)) {
      if (page.some((info) => info.key === key)) return true;
    }
    return false;
  }
}
