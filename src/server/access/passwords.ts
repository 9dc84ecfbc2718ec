/**
 * Passwords: argon2id, kept with their parameters so that these can be raised (a log-in with older ones hashes anew). The form is that of the
 * PHC string format, `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
 */
import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { Failure } from '../../base/failure.ts';
import { Gate } from '../gate.ts';

const derive = promisify(argon2);

export interface PasswordCost {
  /** KiB. */
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
}

/** The least that OWASP's cheat sheet on password storage recommends for argon2id (2025): 19 MiB, two passes. */
export const PASSWORD_COST: PasswordCost = { memory: 19_456, passes: 2, parallelism: 1 };

const SALT_BYTES = 16;
const HASH_BYTES = 32;
/** What is read from the catalog is bounded like everything else. */
const MOST = { memory: 1_048_576, passes: 20, parallelism: 16 };
const FORM = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,2}),p=(\d{1,2})\$([\w+/]{11,86})\$([\w+/]{22,86})$/;

const SHORTEST = 12;
const LONGEST = 256;
const LEAST_DIFFERENT = 5;
/** What everybody tries, of those that are long enough. */
const COMMON =
  /^(?:password|passwort|contrase|motdepasse|qwerty|azerty|123456|letmein|welcome|administrator|holdfast|changeme)/;
const COMMON_REST = 6;

const AT_ONCE = 2;
const WAITING_AT_MOST = 32;
const NEVER = new AbortController().signal;

/** Hashing, two at a time: log-ins must not take the memory or the threads of everything else. */
export class Passwords {
  readonly #cost: PasswordCost;
  readonly #gate = new Gate(AT_ONCE);
  #waiting = 0;
  #decoy: Promise<string> | undefined;

  constructor(cost: PasswordCost = PASSWORD_COST) {
    this.#cost = cost;
  }

  hash(password: string): Promise<string> {
    return this.#inTurn(() => hashWith(password, this.#cost));
  }

  /** Without a `stored` one the same work is done, and the answer is no: how long it takes tells nobody whether there is an account. */
  async verify(password: string, stored: string | null): Promise<boolean> {
    this.#decoy ??= hashWith(randomBytes(SALT_BYTES).toString('hex'), this.#cost);
    const against = stored ?? (await this.#decoy);
    const same = await this.#inTurn(() => matches(password, against));
    return same && stored !== null;
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= WAITING_AT_MOST)
      throw new Failure('too_many_attempts', 'Too many people log in at this moment. Try again in a few seconds.');
    this.#waiting += 1;
    const leave = await this.#gate.enter(NEVER).finally(() => {
      this.#waiting -= 1;
    });
    return work().finally(leave);
  }

  /** Whether it was hashed with other parameters than those of today. */
  isOutdated(stored: string): boolean {
    const { memory, passes, parallelism } = parse(stored);
    const { memory: m, passes: t, parallelism: p } = this.#cost;
    return memory !== m || passes !== t || parallelism !== p;
  }
}

/** Throws `password_refused`. Length is what counts; what everybody tries is refused. */
export function checkNewPassword(password: string, name: string): void {
  const characters = [...prepared(password)];
  const lower = password.toLowerCase();
  const refuse = (why: string) => {
    throw new Failure('password_refused', `The password ${why}.`, {
      hint: `Take ${SHORTEST} characters or more, such as four words.`,
    });
  };
  if (characters.length < SHORTEST) refuse(`is shorter than ${SHORTEST} characters`);
  if (characters.length > LONGEST) refuse(`is longer than ${LONGEST} characters`);
  if (new Set(characters).size < LEAST_DIFFERENT) refuse('repeats few characters');
  if (lower.replaceAll(name.toLowerCase(), '').length < SHORTEST / 2)
    refuse('is little more than the name of the account');
  if (lower.replace(COMMON, '').length < Math.min(lower.length, COMMON_REST))
    refuse('begins like one that everybody tries');
}

/** Typed on another keyboard, the same characters come in another form. */
function prepared(password: string): string {
  return password.normalize('NFKC');
}

async function hashWith(password: string, cost: PasswordCost): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const hash = await raw(password, salt, HASH_BYTES, cost);
  const { memory, passes, parallelism } = cost;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${base64(salt)}$${base64(hash)}`;
}

async function matches(password: string, stored: string): Promise<boolean> {
  const { salt, hash, ...cost } = parse(stored);
  return timingSafeEqual(await raw(password, salt, hash.length, cost), hash);
}

function raw(password: string, salt: Buffer, length: number, { memory, passes, parallelism }: PasswordCost) {
  const message = prepared(password);
  return derive('argon2id', { message, nonce: salt, tagLength: length, memory, passes, parallelism });
}

function parse(stored: string): PasswordCost & { readonly salt: Buffer; readonly hash: Buffer } {
  const [, m, t, p, salt, hash] = FORM.exec(stored) ?? [];
  const cost = { memory: Number(m), passes: Number(t), parallelism: Number(p) };
  const fits = cost.memory <= MOST.memory && cost.passes <= MOST.passes && cost.parallelism <= MOST.parallelism;
  if (salt === undefined || hash === undefined || !fits)
    throw new Failure('catalog_failed', 'The catalog holds a password in a form that is not known.');
  return { ...cost, salt: Buffer.from(salt, 'base64'), hash: Buffer.from(hash, 'base64') };
}

const base64 = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
