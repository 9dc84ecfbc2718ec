/** Puts a run into the queue, as its kind wants it: params checked, what may not run beside it named, tried again only where that is safe. */
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { CatalogDb } from '../catalog/catalog.ts';
import { createRun, type Labels, type NewRun, type Run } from '../catalog/runs.ts';
import { checkedParams, EVERY_APP, kindOf, type Params } from './kinds.ts';

export interface AskedRun {
  /** `*` for what is about the whole repository. */
  readonly app: string;
  readonly kind: string;
  readonly params?: Params;
  /** schedule, catch-up, dependency, api, cli, healing. */
  readonly trigger: string;
  readonly reason?: string;
  readonly requestedBy?: string;
  readonly scheduleId?: string;
  readonly scheduledFor?: number;
  readonly afterRun?: string;
  /** What a worker must have. */
  readonly labels?: Labels;
  readonly priority?: number;
  readonly dedupe?: string;
  readonly notBefore?: number;
  /** Tries after the first; only for kinds that may be repeated. */
  readonly retries?: number;
  readonly timeLimitMs?: number;
}

const RETRIES = 3;

/** Throws `usage` for an unknown kind, for params that it does not take, and when it needs an app. */
export function newRun({ retries = RETRIES, ...asked }: AskedRun): NewRun {
  const kind = kindOf(asked.kind);
  const params = checkedParams(asked.kind, asked.params ?? {});
  if (kind.about === 'app' && asked.app === EVERY_APP)
    throw new Failure('usage', `A run of the kind "${asked.kind}" is about one app: name it.`);
  return {
    ...asked,
    params,
    exclusive: kind.exclusive(asked.app, params),
    maxAttempts: kind.repeatable ? retries + 1 : 1,
  };
}

/** Asking twice with the same `dedupe` gives the same run. */
export function enqueue(
  db: CatalogDb,
  asked: AskedRun,
  now: number,
): Promise<{ readonly run: Run; readonly created: boolean }> {
  return createRun(db, newRun(asked), now);
}

/** The record of a due run that does not happen. */
export function recordSkip(db: CatalogDb, asked: AskedRun & { readonly reason: string }, now: number) {
  const { app, kind, params = {}, trigger, reason } = asked;
  const when = { ...given('scheduleId', asked.scheduleId), ...given('scheduledFor', asked.scheduledFor) };
  return createRun(
    db,
    { app, kind, params, trigger, reason, ...when, ...given('dedupe', asked.dedupe), state: 'skipped' },
    now,
  );
}
