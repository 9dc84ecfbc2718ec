/**
 * How often somebody may fail to log in. Three things are counted: an account at one address, an address, an account at all addresses. The third
 * holds only for addresses from which the account never logged in, so that a stranger who guesses keeps nobody out who was here before; and an
 * address that an account knows is not closed to it by what others try from there. Waits double, from a second to a quarter of an hour.
 */
import { hash } from 'node:crypto';
import { formatDuration } from '../../base/durations.ts';
import { Failure } from '../../base/failure.ts';
import type { Catalog, CatalogDb } from '../../catalog/catalog.ts';
import { type LoginLimit, removeOldLimits, setLimit, takeLimit } from '../../catalog/login-limits.ts';
import { placeOf } from './client-address.ts';

interface Rule {
  /** Failures that cost nothing. */
  readonly free: number;
  /** The longest wait, in ms. */
  readonly longest: number;
}

const RULES = {
  pair: { free: 5, longest: 15 * 60_000 },
  address: { free: 20, longest: 15 * 60_000 },
  account: { free: 50, longest: 60_000 },
} as const satisfies Record<string, Rule>;

type Kind = keyof typeof RULES;
const KINDS = ['account', 'address', 'pair'] as const;

const FIRST_WAIT_MS = 1_000;
/** Failures older than this are forgotten. */
const FORGET_MS = 24 * 3_600_000;
/** An address is known to an account for this long after a log-in from it. */
const KNOWN_MS = 90 * 24 * 3_600_000;
const CLEAN_EVERY = 200;

export class LoginLimits {
  readonly #catalog: Catalog;
  #attempts = 0;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /**
   * Counts an attempt as failed before it is looked at, so that many at once are many. Throws `too_many_attempts` with `details.seconds`, and
   * counts nothing, while one has to wait. The same for accounts that do not exist.
   */
  async begin(account: string, address: string, now: number): Promise<Attempt> {
    const names = bucketsOf(account, placeOf(address));
    if (this.#attempts++ % CLEAN_EVERY === 0) await removeOldLimits(this.#catalog.db, now - FORGET_MS, now - KNOWN_MS);
    return this.#catalog.transaction(async (db) => {
      const limits = await takeAll(db, names, now);
      const counted = KINDS.filter((kind) => kind === 'pair' || !knows(limits.pair, now));
      const wait = Math.max(...counted.map((kind) => limits[kind].until - now));
      if (wait > 0) throw tooMany(wait);
      for (const kind of counted) await setLimit(db, names[kind], failed(limits[kind], RULES[kind], now));
      return new Attempt(this.#catalog, names, counted);
    });
  }
}

/** One that was counted as failed. Left alone it stays so. */
export class Attempt {
  readonly #catalog: Catalog;
  readonly #names: Buckets;
  readonly #counted: readonly Kind[];

  constructor(catalog: Catalog, names: Buckets, counted: readonly Kind[]) {
    this.#catalog = catalog;
    this.#names = names;
    this.#counted = counted;
  }

  /** The account is known at this address from now on, and its failures here are forgotten. */
  succeed(now: number): Promise<void> {
    return this.#settle(now, { failures: 0, until: 0, succeeded_at: now });
  }

  /** It was neither: the password was right, and something else is missing. */
  takeBack(now: number): Promise<void> {
    return this.#settle(now, {});
  }

  #settle(now: number, ofPair: Partial<LoginLimit>): Promise<void> {
    return this.#catalog.transaction(async (db) => {
      const limits = await takeAll(db, this.#names, now);
      for (const kind of this.#counted) {
        const less = { failures: Math.max(0, limits[kind].failures - 1) };
        await setLimit(db, this.#names[kind], kind === 'pair' ? { ...less, until: 0, ...ofPair } : less);
      }
    });
  }
}

type Buckets = Readonly<Record<Kind, string>>;

/** Names are hashed: what is typed as a name may be a password. */
function bucketsOf(account: string, place: string): Buckets {
  const name = hash('sha256', account).slice(0, 32);
  return { account: `account:${name}`, address: `address:${place}`, pair: `pair:${name}@${place}` };
}

async function takeAll(db: CatalogDb, names: Buckets, now: number): Promise<Record<Kind, LoginLimit>> {
  const limits: Partial<Record<Kind, LoginLimit>> = {};
  for (const kind of KINDS) limits[kind] = await takeLimit(db, names[kind], now); // in the order of their names: nobody waits in a circle
  return limits as Record<Kind, LoginLimit>;
}

function knows({ succeeded_at: at }: LoginLimit, now: number): boolean {
  return at !== null && at > now - KNOWN_MS;
}

function failed(limit: LoginLimit, { free, longest }: Rule, now: number): Partial<LoginLimit> {
  const failures = (now - limit.last_at > FORGET_MS ? 0 : limit.failures) + 1;
  const beyond = failures - free;
  const wait = beyond <= 0 ? 0 : Math.min(longest, FIRST_WAIT_MS * 2 ** Math.min(beyond - 1, 20));
  return { failures, last_at: now, until: now + wait };
}

function tooMany(wait: number): Failure {
  const seconds = Math.ceil(wait / 1_000);
  return new Failure('too_many_attempts', `Too many log-ins failed. Try again in ${formatDuration(seconds * 1_000)}.`, {
    details: { seconds },
  });
}
