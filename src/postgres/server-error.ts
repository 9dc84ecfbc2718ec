/** Turns what a server or a socket says when something is wrong into a Failure: SQLSTATE and the server's own hint are kept, secrets never are. */
import { Failure, type FailureCode } from '../base/failure.ts';

/** The fields of an ErrorResponse or NoticeResponse that people and programs want. */
export interface ServerMessage {
  readonly severity: string;
  /** Five characters, e.g. `28P01`. */
  readonly sqlstate: string;
  readonly message: string;
  readonly detail?: string | undefined;
  readonly hint?: string | undefined;
}

/** SQLSTATEs with a meaning of their own for us; everything else becomes the caller's fallback. */
const CODES: Readonly<Record<string, FailureCode>> = {
  '28000': 'postgres_refused',
  '28P01': 'postgres_refused',
  '3D000': 'postgres_refused',
  '42501': 'postgres_refused',
  '53300': 'postgres_refused',
  '53400': 'postgres_refused',
  '57P01': 'postgres_unreachable',
  '57P02': 'postgres_unreachable',
  '57P03': 'postgres_unreachable',
  XX001: 'postgres_pages_damaged',
};

/** A Failure from an ErrorResponse; `doing` begins the sentence, e.g. `The base backup`. */
export function serverFailure(error: ServerMessage, doing: string, fallback: FailureCode): Failure {
  const detail = error.detail ? ` (${error.detail})` : '';
  return new Failure(CODES[error.sqlstate] ?? fallback, `${doing} failed: ${error.message}${detail}`, {
    ...(error.hint ? { hint: error.hint } : {}),
    details: { sqlstate: error.sqlstate, severity: error.severity },
  });
}

/** A Failure from anything thrown by node-postgres or a socket. */
export function connectionFailure(error: unknown, doing: string, fallback: FailureCode): Failure {
  if (error instanceof Failure) return error;
  const fields = errorFields(error);
  if (fields.sqlstate.length === 5 && fields.severity) return serverFailure(fields, doing, fallback);
  return new Failure('postgres_unreachable', `${doing} failed: ${fields.message || fields.sqlstate}`, {
    cause: error,
    details: fields.sqlstate ? { system: fields.sqlstate } : {},
  });
}

/** The SQLSTATE a Failure of ours carries, or an empty string. */
export function sqlstateOf(error: unknown): string {
  return error instanceof Failure && typeof error.details.sqlstate === 'string' ? error.details.sqlstate : '';
}

function errorFields(error: unknown): ServerMessage {
  const source = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const field = (name: string) => (typeof source[name] === 'string' ? (source[name] as string) : '');
  const nested = Array.isArray(source.errors) && source.errors[0] ? errorFields(source.errors[0]).message : '';
  return {
    severity: field('severity'),
    sqlstate: field('code'),
    message: field('message') || nested,
    detail: field('detail') || undefined,
    hint: field('hint') || undefined,
  };
}
