/**
 * What was refused, in the audit log, without letting whoever is refused fill the disk: of one who asks the same again and again the first
 * refusal is written at once and the others are counted, in entries that come after a minute, two, four, and so on to an hour. Beyond so many
 * who are refused at once, the rest share one such entry. Nothing waits for a timer: what is due is written with the next request.
 */
import { type AuditEntry, appendAudit } from '../../catalog/audit.ts';
import type { Catalog } from '../../catalog/catalog.ts';

const MINUTE = 60_000;
const LONGEST_MS = 60 * MINUTE;
/** Those who are told apart at once, and how fast room for another one comes back. */
const APART = 60;
const ROOM_EVERY_MS = 2 * MINUTE;
const MOST_FOLLOWED = 200;
const OTHERS = 'others';

interface Followed {
  /** As it was first. */
  readonly entry: AuditEntry;
  /** Not written yet. */
  count: number;
  /** When the last entry was written, and how long until the next; ms. */
  since: number;
  wait: number;
}

export class Refusals {
  readonly #catalog: Catalog;
  readonly #followed = new Map<string, Followed>();
  #room = APART;
  #roomAt = 0;
  /** Nothing is due before; ms since the epoch. */
  #nextDue = Number.POSITIVE_INFINITY;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** `key`: who, from where and which route, of few and short texts. */
  async note(key: string, entry: AuditEntry, now: number): Promise<void> {
    await this.writeDue(now);
    const known = this.#followed.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#takeRoom(now)) await this.#first(key, entry, now);
    else await this.#other(now);
  }

  /** What was counted and whose time has come; never fails: what cannot be written is due again with the next request. */
  async writeDue(now: number): Promise<void> {
    if (now < this.#nextDue) return;
    this.#nextDue = Number.POSITIVE_INFINITY;
    for (const [key, followed] of this.#followed) {
      if (now < followed.since + followed.wait) this.#expect(followed);
      else if (followed.count === 0) this.#followed.delete(key);
      else await this.#writeCount(followed, now);
    }
  }

  /** Everything that was counted, because the server stops. */
  async close(now: number): Promise<void> {
    for (const followed of this.#followed.values()) if (followed.count > 0) await this.#writeCount(followed, now);
    this.#followed.clear();
  }

  async #first(key: string, entry: AuditEntry, now: number): Promise<void> {
    const followed = { entry, count: 0, since: now, wait: MINUTE };
    this.#followed.set(key, followed); // before it waits: the next one is counted
    this.#expect(followed);
    await appendAudit(this.#catalog.db, entry, now);
  }

  async #other(now: number): Promise<void> {
    const known = this.#followed.get(OTHERS);
    if (known !== undefined) known.count += 1;
    else
      await this.#first(
        OTHERS,
        { actor: 'anonymous', action: 'request', outcome: 'refused', details: { why: 'more than can be told apart' } },
        now,
      );
  }

  async #writeCount(followed: Followed, now: number): Promise<void> {
    const { entry, count, since, wait } = followed;
    Object.assign(followed, { count: 0, since: now, wait: Math.min(2 * wait, LONGEST_MS) });
    this.#expect(followed);
    const details = { ...entry.details, count, since: new Date(since).toISOString() };
    try {
      await appendAudit(this.#catalog.db, { ...entry, details }, now);
    } catch {
      Object.assign(followed, { count: followed.count + count, since, wait }); // told to whoever needs the catalog
      this.#expect(followed);
    }
  }

  #expect({ since, wait }: Followed): void {
    this.#nextDue = Math.min(this.#nextDue, since + wait);
  }

  #takeRoom(now: number): boolean {
    const back = Math.floor((now - this.#roomAt) / ROOM_EVERY_MS);
    if (back > 0 || now < this.#roomAt) {
      this.#room = Math.min(APART, this.#room + Math.max(0, back));
      this.#roomAt = now;
    }
    if (this.#room === 0 || this.#followed.size >= MOST_FOLLOWED) return false;
    this.#room -= 1;
    return true;
  }
}
