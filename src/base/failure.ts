/**
 * The one error class. Callers branch on `code`; people read `message` and `hint`.
 * The catalogue below is the only place that maps an error to an exit status; `docs/errors.md` lists the same codes.
 */

/** Exit statuses of the command line (see the interface page of the docs). */
export const EXIT = {
  done: 0,
  failed: 1,
  usage: 2,
  partial: 3,
  damaged: 4,
  unreachableMoment: 5,
  objectiveBroken: 6,
  noRepository: 10,
  locked: 11,
  wrongPassword: 12,
  interrupted: 130,
} as const;

/** Every error code with its exit status and whether trying again later may help. */
export const FAILURES = {
  // usage and configuration
  usage: { exit: EXIT.usage, retry: false },
  config_missing: { exit: EXIT.usage, retry: false },
  config_invalid: { exit: EXIT.usage, retry: false },
  secret_unavailable: { exit: EXIT.usage, retry: false },
  app_unknown: { exit: EXIT.usage, retry: false },
  source_unknown: { exit: EXIT.usage, retry: false },
  storage_unknown: { exit: EXIT.usage, retry: false },
  point_unknown: { exit: EXIT.failed, retry: false },
  point_ambiguous: { exit: EXIT.usage, retry: false },
  path_unknown: { exit: EXIT.failed, retry: false },
  // storages
  object_missing: { exit: EXIT.failed, retry: false },
  object_exists: { exit: EXIT.failed, retry: false },
  storage_missing: { exit: EXIT.noRepository, retry: false },
  storage_unreachable: { exit: EXIT.failed, retry: true },
  storage_refused: { exit: EXIT.failed, retry: false },
  storage_full: { exit: EXIT.failed, retry: false },
  storage_not_empty: { exit: EXIT.failed, retry: false },
  storage_misbehaves: { exit: EXIT.failed, retry: false },
  storages_failed: { exit: EXIT.failed, retry: true },
  too_few_copies: { exit: EXIT.partial, retry: true },
  // repository
  repository_missing: { exit: EXIT.noRepository, retry: false },
  repository_foreign: { exit: EXIT.failed, retry: false },
  repository_unsupported: { exit: EXIT.failed, retry: false },
  repository_damaged: { exit: EXIT.damaged, retry: false },
  wrong_password: { exit: EXIT.wrongPassword, retry: false },
  locked: { exit: EXIT.locked, retry: true },
  lock_lost: { exit: EXIT.locked, retry: true },
  data_damaged: { exit: EXIT.damaged, retry: false },
  data_missing: { exit: EXIT.damaged, retry: false },
  last_good_point: { exit: EXIT.failed, retry: false },
  point_pinned: { exit: EXIT.failed, retry: false },
  // sources
  source_unreadable: { exit: EXIT.failed, retry: false },
  source_partial: { exit: EXIT.partial, retry: false },
  // postgres
  postgres_unreachable: { exit: EXIT.failed, retry: true },
  postgres_refused: { exit: EXIT.failed, retry: false },
  postgres_unsupported: { exit: EXIT.failed, retry: false },
  postgres_protocol: { exit: EXIT.failed, retry: true },
  postgres_backup_failed: { exit: EXIT.failed, retry: true },
  postgres_pages_damaged: { exit: EXIT.damaged, retry: false },
  postgres_start_failed: { exit: EXIT.failed, retry: false },
  postgres_program_missing: { exit: EXIT.failed, retry: false },
  postgres_wal_gone: { exit: EXIT.failed, retry: false },
  // the WAL archive
  wal_foreign: { exit: EXIT.failed, retry: false },
  wal_diverged: { exit: EXIT.failed, retry: false },
  spool_failed: { exit: EXIT.failed, retry: false },
  // restoring
  target_exists: { exit: EXIT.failed, retry: false },
  target_unsafe: { exit: EXIT.failed, retry: false },
  target_full: { exit: EXIT.failed, retry: false },
  target_unwritable: { exit: EXIT.failed, retry: false },
  package_refused: { exit: EXIT.damaged, retry: false },
  confirmation_missing: { exit: EXIT.usage, retry: false },
  hook_failed: { exit: EXIT.failed, retry: false },
  table_unknown: { exit: EXIT.failed, retry: false },
  rows_refused: { exit: EXIT.failed, retry: false },
  rows_busy: { exit: EXIT.failed, retry: true },
  rows_uncertain: { exit: EXIT.failed, retry: false },
  wal_refused: { exit: EXIT.failed, retry: false },
  moment_unreachable: { exit: EXIT.unreachableMoment, retry: false },
  // the service
  step_failed: { exit: EXIT.failed, retry: false },
  step_refused: { exit: EXIT.failed, retry: false },
  run_lost: { exit: EXIT.locked, retry: true },
  run_crashed: { exit: EXIT.failed, retry: true },
  run_timed_out: { exit: EXIT.failed, retry: false },
  catalog_failed: { exit: EXIT.failed, retry: true },
  unauthenticated: { exit: EXIT.failed, retry: false },
  login_refused: { exit: EXIT.failed, retry: false },
  second_factor_needed: { exit: EXIT.failed, retry: false },
  too_many_attempts: { exit: EXIT.failed, retry: true },
  forbidden: { exit: EXIT.failed, retry: false },
  origin_refused: { exit: EXIT.failed, retry: false },
  setup_refused: { exit: EXIT.failed, retry: false },
  password_refused: { exit: EXIT.usage, retry: false },
  user_unknown: { exit: EXIT.failed, retry: false },
  user_exists: { exit: EXIT.failed, retry: false },
  last_administrator: { exit: EXIT.failed, retry: false },
  session_unknown: { exit: EXIT.failed, retry: false },
  token_unknown: { exit: EXIT.failed, retry: false },
  approval_unknown: { exit: EXIT.failed, retry: false },
  approval_decided: { exit: EXIT.failed, retry: false },
  approval_own: { exit: EXIT.failed, retry: false },
  oidc_failed: { exit: EXIT.failed, retry: false },
  server_key_missing: { exit: EXIT.failed, retry: false },
  server_key_wrong: { exit: EXIT.failed, retry: false },
  audit_broken: { exit: EXIT.damaged, retry: false },
  // the HTTP API
  request_invalid: { exit: EXIT.usage, retry: false },
  request_too_large: { exit: EXIT.usage, retry: false },
  request_timeout: { exit: EXIT.failed, retry: true },
  route_unknown: { exit: EXIT.usage, retry: false },
  method_refused: { exit: EXIT.usage, retry: false },
  media_type_refused: { exit: EXIT.usage, retry: false },
  key_reused: { exit: EXIT.usage, retry: false },
  key_in_use: { exit: EXIT.failed, retry: true },
  changed_meanwhile: { exit: EXIT.failed, retry: false },
  managed_by_file: { exit: EXIT.failed, retry: false },
  run_unknown: { exit: EXIT.failed, retry: false },
  run_ended: { exit: EXIT.failed, retry: false },
  result_unknown: { exit: EXIT.failed, retry: false },
  schedule_unknown: { exit: EXIT.failed, retry: false },
  alert_unknown: { exit: EXIT.failed, retry: false },
  alert_state: { exit: EXIT.failed, retry: false },
  delivery_unknown: { exit: EXIT.failed, retry: false },
  delivery_state: { exit: EXIT.failed, retry: false },
  mute_unknown: { exit: EXIT.failed, retry: false },
  channel_unknown: { exit: EXIT.failed, retry: false },
  channel_failed: { exit: EXIT.failed, retry: true },
  channel_refused: { exit: EXIT.failed, retry: false },
  retention_frozen: { exit: EXIT.failed, retry: false },
  server_unreachable: { exit: EXIT.failed, retry: true },
  server_failed: { exit: EXIT.failed, retry: true },
  // the rest
  output_failed: { exit: EXIT.failed, retry: false },
  interrupted: { exit: EXIT.interrupted, retry: true },
  internal: { exit: EXIT.failed, retry: false },
} as const satisfies Record<string, { exit: number; retry: boolean }>;

export type FailureCode = keyof typeof FAILURES;

export interface FailureDetails {
  /** What the reader can do about it: one sentence, an exact command or statement where there is one. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Figures and names a program may want; never a secret. */
  readonly details?: Readonly<Record<string, unknown>>;
}

export class Failure extends Error {
  readonly code: FailureCode;
  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: FailureCode, message: string, more: FailureDetails = {}) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = 'Failure';
    this.code = code;
    this.hint = more.hint;
    this.details = more.details ?? {};
  }

  /** Whether the same call may succeed later without anything being mended. */
  get retryable(): boolean {
    return FAILURES[this.code].retry;
  }

  get exitCode(): number {
    return FAILURES[this.code].exit;
  }
}

/** Tells whether `error` is a Failure with one of `codes` (any code when none is given). */
export function isFailure(error: unknown, ...codes: FailureCode[]): error is Failure {
  return error instanceof Failure && (codes.length === 0 || codes.includes(error.code));
}

/** Turns anything thrown into a Failure; what is not one already becomes `fallback`. */
export function asFailure(error: unknown, fallback: FailureCode = 'internal'): Failure {
  if (error instanceof Failure) return error;
  if (error instanceof Error && error.name === 'AbortError') {
    return new Failure('interrupted', 'Interrupted.', { cause: error });
  }
  return new Failure(fallback, error instanceof Error ? error.message : String(error), { cause: error });
}
