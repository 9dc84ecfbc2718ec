/** A typed client of the HTTP API: what an endpoint takes and answers comes from its declaration. Failures come back as the failures they were. */
import { randomUUID } from 'node:crypto';
import type { AnswerOf, Endpoint, GivenBody, GivenParams, GivenQuery } from '../api/endpoint.ts';
import type { Event } from '../api/events.ts';
import { FAILURES, Failure, type FailureCode } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { parseJsonObject } from '../base/json-object.ts';
import { readEvents } from './event-stream.ts';

export interface ClientOptions {
  /** Where the server is: scheme, host, port. */
  readonly url: string;
  /** Absent: whoever answers knows who asks. */
  readonly token?: string;
  /** Ends every request. */
  readonly signal: AbortSignal;
  /** Asks instead of the network. */
  readonly fetch?: (request: Request) => Promise<Response>;
}

/** What is asked of an endpoint; members that it does not take are left out. */
export interface Asked<E extends Endpoint> {
  readonly params?: GivenParams<E>;
  readonly query?: GivenQuery<E>;
  readonly body?: GivenBody<E>;
  readonly signal?: AbortSignal;
}

const LONGEST_PROBLEM = 64 * 1024;
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

export class Client {
  readonly #base: URL;
  readonly #options: ClientOptions;
  readonly #signal: AbortSignal;

  /** Throws `usage` for what is no URL of a server, and where the token would travel readable by others. */
  constructor(options: ClientOptions) {
    this.#base = serverUrl(options.url);
    this.#options = options;
    this.#signal = options.signal;
  }

  /** The same server, with requests that end by another signal. */
  with(signal: AbortSignal): Client {
    return new Client({ ...this.#options, signal });
  }

  /** The document that the endpoint answers. Throws the failure that the server tells, `server_unreachable`, `server_failed`. */
  async call<const E extends Endpoint>(endpoint: E, asked: Asked<E> = {}): Promise<AnswerOf<E>> {
    const response = await this.#ask(endpoint, asked as Asked<Endpoint>);
    if (endpoint.answer.body === undefined) return undefined as AnswerOf<E>;
    try {
      return (await response.json()) as AnswerOf<E>;
    } catch (cause) {
      throw this.#signal.aborted
        ? cause
        : new Failure('server_failed', 'The answer of the server was cut off.', { cause });
    }
  }

  /** For what is no document: its bytes as they come. An answer that is cut off throws `server_failed`. */
  async *bytes<const E extends Endpoint>(endpoint: E, asked: Asked<E> = {}): AsyncGenerator<Uint8Array> {
    const { body } = await this.#ask(endpoint, asked as Asked<Endpoint>);
    try {
      for await (const part of (body ?? []) as AsyncIterable<Uint8Array>) yield part;
    } catch (cause) {
      throw this.#signal.aborted
        ? cause
        : new Failure('server_failed', 'The answer of the server was cut off.', { cause });
    }
  }

  /** Sends bytes as they come. They cannot be sent a second time: what is cut off has failed. */
  async upload<const E extends Endpoint>(
    endpoint: E,
    asked: Asked<E>,
    bytes: AsyncIterable<Uint8Array>,
  ): Promise<AnswerOf<E>> {
    const response = await this.#once(this.#urlOf(endpoint, asked as Asked<Endpoint>), {
      ...{ method: endpoint.method, redirect: 'error', body: bytes, duplex: 'half', signal: this.#signal },
      headers: { ...this.#authorization, 'content-type': endpoint.upload?.[0] ?? '' },
    } as unknown as RequestInit);
    if (!response.ok) throw await failureOf(response);
    return (await response.json()) as AnswerOf<E>;
  }

  /** Events as they happen, until `signal` fires or the connection ends. */
  async *events<const E extends Endpoint>(endpoint: E, asked: Asked<E>): AsyncGenerator<Event> {
    yield* readEvents(this.bytes(endpoint, asked));
  }

  async #ask(endpoint: Endpoint, asked: Asked<Endpoint>): Promise<Response> {
    const { body, signal } = asked;
    const response = await this.#send(this.#urlOf(endpoint, asked), {
      ...{ method: endpoint.method, redirect: 'error' },
      ...given('body', body === undefined ? undefined : JSON.stringify(body)),
      signal: signal === undefined ? this.#signal : AbortSignal.any([this.#signal, signal]),
      headers: {
        ...this.#authorization,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(endpoint.method === 'POST' ? { 'idempotency-key': randomUUID() } : {}),
      },
    });
    if (response.ok) return response;
    throw await failureOf(response);
  }

  get #authorization(): { readonly authorization?: string } {
    const { token } = this.#options;
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  }

  #urlOf({ path }: Endpoint, { params = {}, query = {} }: Asked<Endpoint>): URL {
    const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(params[name])));
    const url = new URL(filled, this.#base);
    for (const [name, value] of Object.entries(query)) addTo(url, name, value);
    return url;
  }

  /** What got no answer is asked once more: a POST carries its key, so it is done once. */
  async #send(url: URL, request: RequestInit): Promise<Response> {
    return await this.#once(url, request).catch((error: unknown) => {
      if (request.signal?.aborted === true) throw error;
      return this.#once(url, request);
    });
  }

  async #once(url: URL, request: RequestInit): Promise<Response> {
    try {
      const { fetch: ask } = this.#options;
      return await (ask === undefined ? fetch(url, request) : ask(new Request(url, request)));
    } catch (cause) {
      if (request.signal?.aborted === true) throw cause;
      const reason = (cause as { cause?: { message?: string } }).cause?.message ?? (cause as Error).message;
      throw new Failure('server_unreachable', `${this.#base.origin} does not answer: ${reason}.`, {
        hint: 'Check --server, the network, and the certificate of the server (NODE_EXTRA_CA_CERTS names one of your own).',
        cause,
      });
    }
  }
}

function serverUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '')
    throw new Failure('usage', `--server: "${text}" is no URL of a server.`, {
      hint: 'Write it like https://backup.clinic.example.',
    });
  if (url.protocol === 'https:' || LOOPBACK.test(url.hostname)) return url;
  throw new Failure('usage', 'The token would travel readable by everybody on the way.', {
    hint: 'Use https://, or a server on this machine.',
  });
}

function addTo(url: URL, name: string, value: unknown): void {
  if (Array.isArray(value)) for (const each of value) url.searchParams.append(name, String(each));
  else if (value !== undefined) url.searchParams.set(name, String(value));
}

/** The failure that a problem document tells; its code decides the exit status, as if it had happened here. */
async function failureOf(response: Response): Promise<Failure> {
  const text = (await response.text().catch(() => '')).slice(0, LONGEST_PROBLEM);
  const { code, detail, hint, errors } = parseJsonObject(text) ?? {};
  if (typeof code === 'string' && Object.hasOwn(FAILURES, code)) {
    const problems = Array.isArray(errors) ? { details: { problems: errors } } : {};
    return new Failure(code as FailureCode, String(detail ?? code), {
      ...(typeof hint === 'string' ? { hint } : {}),
      ...problems,
    });
  }
  return new Failure('server_failed', `The server answered ${response.status}, and not in the way of Holdfast.`, {
    hint: 'Check that --server names a Holdfast server, of this version or newer.',
  });
}
