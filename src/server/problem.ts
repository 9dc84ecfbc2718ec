/** How a failure is told over HTTP: a problem document (RFC 9457) with the code of the failure. The one mapping from code to status. */
import { errorCode } from '../base/errno.ts';
import { asFailure, EXIT, Failure, type FailureCode } from '../base/failure.ts';

/** Codes whose status is not the one that their kind has; see `statusOf`. */
const STATUS: Partial<Readonly<Record<FailureCode, number>>> = {
  usage: 422,
  request_invalid: 422,
  app_unknown: 404,
  source_unknown: 404,
  storage_unknown: 404,
  point_unknown: 404,
  point_ambiguous: 409,
  path_unknown: 404,
  table_unknown: 404,
  route_unknown: 404,
  run_unknown: 404,
  result_unknown: 404,
  package_refused: 422,
  schedule_unknown: 404,
  alert_unknown: 404,
  delivery_unknown: 404,
  mute_unknown: 404,
  channel_unknown: 404,
  alert_state: 409,
  delivery_state: 409,
  retention_frozen: 409,
  channel_failed: 502,
  channel_refused: 502,
  user_unknown: 404,
  session_unknown: 404,
  token_unknown: 404,
  approval_unknown: 404,
  method_refused: 405,
  run_ended: 409,
  managed_by_file: 409,
  key_in_use: 409,
  user_exists: 409,
  last_administrator: 409,
  approval_decided: 409,
  server_key_missing: 409,
  server_key_wrong: 409,
  setup_refused: 403,
  point_pinned: 409,
  last_good_point: 409,
  locked: 409,
  run_lost: 409,
  moment_unreachable: 409,
  changed_meanwhile: 412,
  request_too_large: 413,
  media_type_refused: 415,
  key_reused: 422,
  password_refused: 422,
  confirmation_missing: 422,
  rows_refused: 422,
  unauthenticated: 401,
  login_refused: 401,
  second_factor_needed: 401,
  forbidden: 403,
  origin_refused: 403,
  approval_own: 403,
  oidc_failed: 401,
  too_many_attempts: 429,
  request_timeout: 503,
  storage_unreachable: 502,
  storage_refused: 502,
  storages_failed: 502,
  storage_missing: 502,
  repository_missing: 502,
  postgres_unreachable: 502,
};

/** What is not in the table: 422 for what the caller did wrong, 503 for what may be right later, 500 for the rest. */
export function statusOf(failure: Failure): number {
  const status = STATUS[failure.code];
  if (status !== undefined) return status;
  if (failure.exitCode === EXIT.usage && !failure.code.startsWith('config_') && failure.code !== 'secret_unavailable')
    return 422;
  return failure.retryable ? 503 : 500;
}

/** One thing that does not fit in a request. */
export interface RequestProblem {
  readonly in: 'path' | 'query' | 'header' | 'body';
  /** Where, dotted; empty for the whole. */
  readonly path: string;
  readonly message: string;
}

/** The members of a problem document; `about:holdfast/…` is a name, not a place. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly hint?: string;
  readonly errors?: readonly RequestProblem[];
  readonly request?: string;
}

/** `request`: its id, so that the log can be searched for it. A mistake of ours is told without its message: that may name anything. */
export function problemOf(error: unknown, request: string): Problem {
  const failure = ofCatalog(error) ?? asFailure(error);
  const status = statusOf(failure);
  const { code, hint } = failure;
  const ours = code === 'internal';
  return {
    type: `about:holdfast/${code}`,
    title: titleOf(code),
    status,
    detail: ours
      ? 'A mistake in Holdfast; the log of the server has more under the id of this request.'
      : failure.message,
    code,
    ...(hint === undefined ? {} : { hint }),
    ...errorsOf(failure),
    request,
  };
}

/** The catalog's database failed: told without its words, which may quote what is in it. */
function ofCatalog(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || error instanceof Failure) return undefined;
  const code = errorCode(error);
  const gone =
    /^(ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/.test(code ?? '') ||
    /^Connection terminated|timeout exceeded/.test(error.message);
  if (!gone && code !== 'ERR_SQLITE_ERROR' && !('severity' in error)) return undefined;
  return new Failure('catalog_failed', 'The catalog of the service cannot be asked at this moment.', { cause: error });
}

/** What does not fit in a request, or in the parameters of a run that its body asks for. */
function errorsOf({ code, details }: Failure): { readonly errors?: readonly RequestProblem[] } {
  if (Array.isArray(details.errors)) return { errors: details.errors as RequestProblem[] };
  if (code !== 'usage' || !Array.isArray(details.problems)) return {};
  const problems = details.problems as readonly { readonly path?: string; readonly message: string }[];
  return { errors: problems.map(({ path = '', message }) => ({ in: 'body', path: `params.${path}`, message })) };
}

export const PROBLEM_TYPE = 'application/problem+json';

export function problemResponse(problem: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const retry = problem.status === 503 || problem.status === 429 ? { 'retry-after': '5' } : {};
  return new Response(JSON.stringify(problem), {
    status: problem.status,
    headers: { 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store', ...retry, ...headers },
  });
}

/** `point_unknown` → "Point unknown". */
function titleOf(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words[0]!.toUpperCase() + words.slice(1);
}
