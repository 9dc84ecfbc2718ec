/**
 * One entry of the HTTP API as data: method, path, who may call it, what it takes and what it answers. The server checks requests by it,
 * the description in OpenAPI is made from it, and the client has its types from it.
 */
import * as z from 'zod';

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/**
 * The least role that may call it; `public` needs nobody, `account` a person who is logged in, for what is their own, whatever their roles: no
 * token.
 */
export type Access = 'public' | 'account' | 'viewer' | 'operator' | 'administrator';

/**
 * Where the app stands that the role must hold for. `path`, `query`, `body`: the member `app` there. `resource`: it is known once the thing
 * asked for was read, and the handler asks then. Absent: the role must hold for all apps.
 */
export type AppPlace = 'path' | 'query' | 'body' | 'resource';

export interface Answer<A> {
  readonly status: 200 | 201 | 202 | 204;
  readonly description: string;
  /** Absent: no JSON. */
  readonly body?: A;
  /** Media types, where it is not JSON. */
  readonly types?: readonly string[];
  /** Headers besides the usual ones, with what they say. */
  readonly headers?: Readonly<Record<string, string>>;
}

type Fields = z.core.$ZodLooseShape;
type Body = z.ZodType | undefined;

export interface Declaration<P extends Fields, Q extends Fields, B extends Body, A extends Body> {
  readonly method: Method;
  /** With `{name}` for parameters. */
  readonly path: string;
  /** Unique; names the operation in the description. */
  readonly id: string;
  readonly tag: string;
  /** One line, no full stop. */
  readonly summary: string;
  readonly description?: string;
  readonly access: Access;
  readonly app?: AppPlace;
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
  /** Media types of a body that is taken as it comes, however long, by the handler; instead of `body`. */
  readonly upload?: readonly string[];
  readonly answer: Answer<A>;
  /** The answer holds something that is shown once: it is not kept for a repetition with the same `Idempotency-Key`. */
  readonly secret?: boolean;
  /** Works as long as it takes: the server's time limit for answers does not hold. */
  readonly unhurried?: boolean;
  /** Whether the audit log keeps that it was answered. Absent: what changes something is kept, what only looks is not. */
  readonly audited?: boolean;
}

export interface Endpoint<
  P extends Fields = Fields,
  Q extends Fields = Fields,
  B extends Body = Body,
  A extends Body = Body,
> extends Omit<Declaration<P, Q, B, A>, 'params' | 'query'> {
  readonly params: z.ZodObject<P, z.core.$strict>;
  readonly query: z.ZodObject<Q, z.core.$strict>;
}

type None = Record<never, never>;

export function endpoint<
  P extends Fields = None,
  Q extends Fields = None,
  B extends Body = undefined,
  A extends Body = undefined,
>(declaration: Declaration<P, Q, B, A>): Endpoint<P, Q, B, A> {
  const { params, query, ...rest } = declaration;
  return { ...rest, params: z.strictObject(params ?? ({} as P)), query: z.strictObject(query ?? ({} as Q)) };
}

/** The schema that a member holds, or nothing. */
type Held<T> = Extract<T, z.ZodType>;
type Output<S extends z.ZodType> = [S] extends [never] ? undefined : z.output<S>;
type Input<S extends z.ZodType> = [S] extends [never] ? undefined : z.input<S>;

/** What a handler receives: checked, defaults filled in. */
export type ParamsOf<E extends Endpoint> = z.output<E['params']>;
export type QueryOf<E extends Endpoint> = z.output<E['query']>;
export type BodyOf<E extends Endpoint> = Output<Held<E['body']>>;

/** What a caller gives. */
export type GivenParams<E extends Endpoint> = z.input<E['params']>;
export type GivenQuery<E extends Endpoint> = z.input<E['query']>;
export type GivenBody<E extends Endpoint> = Input<Held<E['body']>>;

/** What a caller gets. */
export type AnswerOf<E extends Endpoint> = Output<Held<E['answer']['body']>>;

/** What a handler may answer: the same, whether its values are read-only or not. */
export type Given<T> = T extends readonly (infer E)[]
  ? readonly Given<E>[]
  : T extends object
    ? { readonly [K in keyof T]: Given<T[K]> }
    : T;
