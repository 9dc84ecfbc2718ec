/** Where routes are made of their declarations: who may call, what fits, the answer with its version, failures as problems. */
import type { Context, Hono } from 'hono';
import type { Access, AnswerOf, BodyOf, Endpoint, Given, ParamsOf, QueryOf } from '../api/endpoint.ts';
import { asFailure, Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Role } from '../catalog/schema.ts';
import type { Configuration } from '../config/configuration.ts';
import { Deadline } from './deadline.ts';
import type { Limits, ServerDeps } from './deps.ts';
import { etagOf, names } from './etag.ts';
import { OnceBook } from './idempotency.ts';
import { jsonText } from './json.ts';
import { KeptAnswers, type MadeAnswer } from './kept-answers.ts';
import { mayAct, type Principal, requireRole } from './principal.ts';
import { RequestReader } from './request.ts';
import { type Asked, safeResponse } from './security-headers.ts';

/** What hangs on every request. */
export interface Variables {
  readonly requestId: string;
  principal: Principal | undefined;
  /** The app that the role was asked for, once it is known. */
  app?: string;
  /** Of the catalog, asked for after the request had come; undefined: nobody needed it yet. */
  version?: string;
  /** The request came over TLS. */
  secure?: boolean;
}
export type ServerContext = Context<{ Variables: Variables }>;

/** One call of an endpoint, checked. */
export interface Call<E extends Endpoint> {
  readonly params: ParamsOf<E>;
  readonly query: QueryOf<E>;
  readonly body: BodyOf<E>;
  /** Present unless the endpoint is public. */
  readonly principal: Principal;
  /** The app the role was asked for; undefined: all, or the handler asks by `allow`. */
  readonly app: string | undefined;
  readonly request: Request;
  /** Fires when the caller has gone, when the server stops, or when the time for the answer is over. */
  readonly signal: AbortSignal;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Same request, same text: for things that must not be made twice. Undefined without an `Idempotency-Key`. */
  readonly once: string | undefined;
  /** For endpoints whose app is known late: throws `unknown` when nothing of that app may be seen, `forbidden` when less is allowed. */
  allow(app: string, unknown: () => Failure): void;
}

export interface Reply<E extends Endpoint> {
  readonly body?: Given<AnswerOf<E>>;
  /** The same as JSON in UTF-8, where it was made without the values. It is kept, see there. */
  readonly text?: Uint8Array<ArrayBuffer>;
  /**
   * It follows from the catalog, the configuration and the query alone, so that it can be given again while these stay; where the app is that
   * of the resource, also from what the caller may see. Of one endpoint all answers are kept, or none.
   */
  readonly keep?: true;
  /** Of what is kept: when it is not true any more although nothing was written; ms since the epoch. */
  readonly until?: number | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

export type Handler<E extends Endpoint> = (call: Call<E>, context: ServerContext) => Promise<Reply<E> | Response>;

export class Api {
  readonly deps: ServerDeps;
  readonly limits: Limits;
  /** All there are, in the order of their registration. */
  readonly endpoints: Endpoint[] = [];
  readonly #hono: Hono<{ Variables: Variables }>;
  readonly #once: OnceBook;
  /** Of one configuration. */
  #kept = new KeptAnswers();
  #config: Configuration | undefined;
  /** Those whose answers are kept. */
  readonly #lists = new Set<Endpoint>();

  constructor(hono: Hono<{ Variables: Variables }>, deps: ServerDeps, limits: Limits) {
    this.#hono = hono;
    this.deps = deps;
    this.limits = limits;
    this.#once = new OnceBook(deps.catalog, deps.clock);
  }

  /** The endpoint is declared in `src/api/`, or inline with `endpoint({ … })`. */
  route<const E extends Endpoint>(endpoint: E, handler: Handler<E>): void {
    this.endpoints.push(endpoint);
    const reader = new RequestReader(endpoint, this.limits);
    const pattern = endpoint.path.replace(/\{(\w+)\}/g, ':$1');
    this.#hono.on(endpoint.method, pattern, (context) => this.#serve(endpoint, reader, handler, context));
  }

  async #serve<E extends Endpoint>(
    endpoint: E,
    reader: RequestReader,
    handler: Handler<E>,
    context: ServerContext,
  ): Promise<Response> {
    const principal = context.get('principal');
    if (endpoint.access !== 'public' && principal === undefined)
      throw new Failure('unauthenticated', 'Who are you? Log in, or send a token.');
    if (endpoint.access === 'account' && principal?.kind !== 'user')
      throw new Failure('forbidden', 'This is for a person who is logged in, not for a token.');
    const place = reader.place(context.req.param() as Record<string, string>, searchOf(context.req.url));
    const early = this.#appOf(endpoint, place.params, place.query);
    if (early !== undefined) allow(endpoint, principal, early, context);
    const body = await reader.body(context.req.raw);
    const app = early ?? this.#appInBody(endpoint, body);
    if (early === undefined && app !== undefined) allow(endpoint, principal, app, context);
    const { raw: request } = context.req;
    const response = await this.#once.answer({ endpoint, request, principal, asked: { ...place, body } }, (once) =>
      this.#inTime(endpoint, request, async (until) => {
        const call = {
          ...{ ...place, body, principal, app, request, once, now: this.deps.clock.now() },
          get signal() {
            return until.signal;
          },
          allow: (found: string, unknown: () => Failure) =>
            allowFound(endpoint, principal, found, { unknown, context }),
        } as unknown as Call<E>;
        return this.#answer(endpoint, () => handler(call, context), context);
      }),
    );
    await this.deps.access.answered?.(
      {
        ...{ principal, endpoint, app, path: context.req.path, status: response.status },
        request: context.get('requestId'),
      },
      context,
    );
    return response;
  }

  /** Undefined: not known yet. */
  #appOf(endpoint: Endpoint, params: Parameters, query: Parameters): string | undefined {
    if (!isRole(endpoint.access) || endpoint.app === 'resource' || endpoint.app === 'body') return undefined;
    if (endpoint.app === 'path') return this.#known(params.app);
    if (endpoint.app === 'query') return this.#known(query.app);
    return '*';
  }

  #appInBody(endpoint: Endpoint, body: unknown): string | undefined {
    return endpoint.app === 'body' ? this.#known((body as { app?: unknown } | undefined)?.app) : undefined;
  }

  /** The one that is named, or the only one there is; all, where there are several. */
  #known(app: unknown): string {
    if (typeof app === 'string') return app;
    const { appNames } = this.deps.config();
    return appNames.length === 1 ? appNames[0]! : '*';
  }

  /** The time being over is told as such, whatever the handler makes of it. Streams end with their caller or with the server. */
  async #inTime(
    endpoint: Endpoint,
    request: Request,
    work: (until: { readonly signal: AbortSignal }) => Promise<Response>,
  ): Promise<Response> {
    const ends = () => [request.signal, this.deps.signal];
    if (endpoint.unhurried === true) return work({ signal: AbortSignal.any(ends()) });
    using deadline = new Deadline(ends, this.limits.answer);
    try {
      return await deadline.bound(work(deadline));
    } catch (error) {
      if (deadline.late) throw new Failure('request_timeout', 'The answer took too long and was given up.');
      throw deadline.aborted ? asFailure(error, 'interrupted') : error;
    }
  }

  /** `handle`, unless what it would answer is kept. */
  async #answer<E extends Endpoint>(
    endpoint: E,
    handle: () => Promise<Reply<E> | Response>,
    context: ServerContext,
  ): Promise<Response> {
    if (!this.#lists.has(endpoint)) {
      const reply = await handle();
      if (reply instanceof Response) return reply;
      if (isKept(reply)) this.#lists.add(endpoint);
      return this.#respond(endpoint, reply, context);
    }
    const version = context.get('version') ?? (await this.deps.catalog.version());
    const question = { address: addressOf(endpoint, context), version, now: this.deps.clock.now() };
    const kept = await this.#answers().answer(question, async () => madeOf(await handle()));
    return this.#respond(endpoint, { text: kept.text }, context, kept.etag);
  }

  /** Those that were made with the configuration of now. */
  #answers(): KeptAnswers {
    const config = this.deps.config();
    if (config !== this.#config) this.#kept = new KeptAnswers();
    this.#config = config;
    return this.#kept;
  }

  #respond(endpoint: Endpoint, reply: Reply<Endpoint>, context: ServerContext, tag?: string): Response {
    const asked = askedOf(context);
    const { status } = endpoint.answer;
    if (endpoint.answer.body === undefined) return safeResponse(null, { status, headers: reply.headers ?? {} }, asked);
    const text = textOf(reply); // encoded once, for its tag and for the wire
    const headers = { 'content-type': 'application/json', 'cache-control': 'no-store', ...reply.headers };
    if (endpoint.method !== 'GET') return safeResponse(text, { status, headers }, asked);
    const etag = tag ?? etagOf(text);
    const versioned = { ...headers, 'cache-control': 'private, no-cache', etag };
    if (names(context.req.header('if-none-match'), etag))
      return safeResponse(null, { status: 304, headers: versioned }, asked);
    return safeResponse(text, { status, headers: versioned }, asked);
  }
}

/** The same for two questions that have one answer: whether somebody may hear it was asked before, unless the handler asks by what it finds. */
function addressOf({ app }: Endpoint, context: ServerContext): string {
  const { url } = context.req;
  if (app !== 'resource') return url;
  const { kind, id } = context.get('principal') ?? {};
  return `${kind} ${id} ${url}`;
}

export function askedOf(context: ServerContext): Asked {
  return { requestId: context.get('requestId'), secure: context.get('secure') === true };
}

function textOf(reply: Reply<Endpoint>): Uint8Array<ArrayBuffer> {
  return reply.text ?? Buffer.from(jsonText(reply.body));
}

function isKept({ text, keep }: Reply<Endpoint>): boolean {
  return keep === true || text !== undefined;
}

function madeOf(reply: Reply<Endpoint> | Response): MadeAnswer {
  if (!(reply instanceof Response) && isKept(reply)) return { text: textOf(reply), until: reply.until };
  throw new TypeError('an endpoint whose answers are kept now answers otherwise');
}

const NOTHING_ASKED = new URLSearchParams();

/** Of a URL in its normal form: to take it apart as a whole takes longer than to check what is asked. */
function searchOf(url: string): URLSearchParams {
  const at = url.indexOf('?');
  if (at < 0) return NOTHING_ASKED;
  const end = url.indexOf('#', at);
  return new URLSearchParams(url.slice(at + 1, end < 0 ? undefined : end));
}

type Parameters = Readonly<Record<string, unknown>>;

function isRole(access: Access): access is Role {
  return access !== 'public' && access !== 'account';
}

function allow(endpoint: Endpoint, principal: Principal | undefined, app: string, context: ServerContext): void {
  context.set('app', app);
  if (isRole(endpoint.access)) requireRole(principal!, app, endpoint.access);
}

function allowFound(
  endpoint: Endpoint,
  principal: Principal | undefined,
  app: string,
  { unknown, context }: { readonly unknown: () => Failure; readonly context: ServerContext },
): void {
  context.set('app', app);
  if (!isRole(endpoint.access)) return;
  if (!mayAct(principal!, app, 'viewer')) throw hidden(unknown());
  requireRole(principal!, app, endpoint.access);
}

/** The same to whoever asks; the audit log knows it for a refusal. */
function hidden({ code, message, hint, details }: Failure): Failure {
  return new Failure(code, message, { ...given('hint', hint), details: { ...details, hidden: true } });
}
