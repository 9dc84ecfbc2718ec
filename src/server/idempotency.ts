/** `Idempotency-Key`: a POST that is repeated with its key is answered as it was the first time, also by another process, also later. */
import { hash } from 'node:crypto';
import type { Endpoint } from '../api/endpoint.ts';
import type { Clock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import type { Catalog } from '../catalog/catalog.ts';
import {
  beginAnswer,
  dropAnswer,
  type KeptAnswer,
  keepAnswer,
  type OnceKey,
  removeAnswers,
} from '../catalog/idempotency.ts';
import type { Principal } from './principal.ts';
import { invalid } from './request.ts';

export interface AskedOnce {
  readonly endpoint: Endpoint;
  readonly request: Request;
  readonly principal: Principal | undefined;
  /** What was asked for, checked. */
  readonly asked: unknown;
}

const KEY = /^[\x21-\x7e]{1,200}$/;
/** Longer than any answer takes. */
const STALE_MS = 10 * 60_000;
const KEPT_MS = 24 * 3_600_000;
const CLEAN_EVERY_MS = 3_600_000;
const WAIT_MS = 5_000;
const LOOK_EVERY_MS = 50;
const KEPT_HEADERS = ['content-type', 'location', 'etag'];

export class OnceBook {
  readonly #catalog: Catalog;
  readonly #clock: Clock;
  #cleanedAt = 0;

  constructor(catalog: Catalog, clock: Clock) {
    this.#catalog = catalog;
    this.#clock = clock;
  }

  /** `answer` hears a text that is the same for every repetition, undefined where there is no key. */
  async answer(given: AskedOnce, answer: (once?: string) => Promise<Response>): Promise<Response> {
    if (!isIdempotent(given.endpoint) || given.principal === undefined) return answer();
    const header = given.request.headers.get('idempotency-key');
    if (header === null) return answer();
    if (!KEY.test(header))
      throw invalid([{ in: 'header', path: 'Idempotency-Key', message: 'must be 1 to 200 visible ASCII characters' }]);
    const key = { actor: `${given.principal.kind}:${given.principal.id}`, key: header };
    await this.#clean();
    const known = await this.#begin(key, hash('sha256', JSON.stringify([given.endpoint.id, given.asked])));
    return known === undefined ? this.#first(key, given.endpoint, answer) : again(known);
  }

  /** Undefined: it is ours to answer. */
  async #begin(key: OnceKey, request: string): Promise<KeptAnswer | undefined> {
    for (let waited = 0; ; waited += LOOK_EVERY_MS) {
      const begun = await beginAnswer(this.#catalog.db, key, request, this.#clock.now(), STALE_MS);
      if (begun.state === 'begun') return undefined;
      if (begun.state === 'answered') return begun.answer;
      if (begun.state === 'other')
        throw new Failure('key_reused', 'This Idempotency-Key came with another request before.', {
          hint: 'Take a new key for a new request.',
        });
      if (waited >= WAIT_MS)
        throw new Failure('key_in_use', 'A request with this Idempotency-Key is being answered.', {
          hint: 'Ask again in a moment.',
        });
      await this.#clock.sleep(LOOK_EVERY_MS);
    }
  }

  async #first(key: OnceKey, endpoint: Endpoint, answer: (once: string) => Promise<Response>): Promise<Response> {
    const { db } = this.#catalog;
    try {
      const response = await answer(`once:${hash('sha256', `${key.actor}\n${key.key}`)}`);
      const body = endpoint.secret === true ? null : await response.clone().text();
      const headers = Object.fromEntries([...response.headers].filter(([name]) => KEPT_HEADERS.includes(name)));
      await keepAnswer(db, key, { status: response.status, headers, body });
      return response;
    } catch (error) {
      await dropAnswer(db, key).catch(() => {}); // it goes stale
      throw error;
    }
  }

  async #clean(): Promise<void> {
    const now = this.#clock.now();
    if (now - this.#cleanedAt < CLEAN_EVERY_MS) return;
    this.#cleanedAt = now;
    await removeAnswers(this.#catalog.db, now - KEPT_MS);
  }
}

function again({ status, headers, body }: KeptAnswer): Response {
  if (body === null)
    throw new Failure('key_reused', 'This was done already, and what it answered is shown only once.', {
      hint: 'Take a new key to do it anew.',
    });
  const empty = status === 204 || status === 304;
  return new Response(empty ? null : body, { status, headers: { ...headers, 'idempotency-replayed': 'true' } });
}

/** Whether a request may carry a key: there must be somebody whose key it is, and a request that can be compared. */
export function isIdempotent({ method, access, upload }: Endpoint): boolean {
  return method === 'POST' && access !== 'public' && upload === undefined;
}
