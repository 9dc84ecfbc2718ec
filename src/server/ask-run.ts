/** Asking for a run: checked, held for a second person where that is wanted, queued once. */

import type { Endpoint } from '../api/endpoint.ts';
import type { AcceptedRun } from '../api/runs.ts';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import type { Run } from '../catalog/runs.ts';
import { enqueue, newRun, type AskedRun as QueuedRun } from '../scheduler/enqueue.ts';
import { EVERY_APP, kindOf } from '../scheduler/kinds.ts';
import { leastRoleFor } from './access/approvals.ts';
import type { Api, Call } from './api.ts';
import type { ServerDeps } from './deps.ts';
import { type AskedRun, type Held, requireRole } from './principal.ts';
import { showRun } from './views/run.ts';

export interface Accepted {
  readonly body: AcceptedRun;
  readonly headers: { readonly location: string };
}

/** Throws `app_unknown` for an app that is not configured, `usage` for parameters that the kind does not take. */
export async function askRun<E extends Endpoint>(
  { deps }: Api,
  call: Pick<Call<E>, 'principal' | 'once' | 'now'>,
  asked: AskedRun & { readonly priority?: number },
): Promise<Accepted> {
  const { principal, once, now } = call;
  requireRole(principal, asked.app, leastRoleFor(asked.kind));
  newRun({ ...asked, trigger: 'api' }); // what would be refused later is refused before anybody is asked to approve it
  const held = await deps.access.hold?.(asked, principal);
  if (held !== undefined) return heldBack(held);
  const trigger = principal.kind === 'machine' ? 'cli' : 'api';
  const run = { ...asked, trigger, requestedBy: principal.name, ...given('dedupe', once) };
  return accepted((await enqueueRun(deps, run, now)).run);
}

/** Instead of the run: what waits for a second person. */
export function heldBack({ approval }: Held): Accepted {
  return { body: { run: null, approval }, headers: { location: `/api/v1/approvals/${approval}` } };
}

/** Puts a run into the queue, for workers with the labels of its app. */
async function enqueueRun(
  { catalog, config }: Pick<ServerDeps, 'catalog' | 'config'>,
  asked: Omit<QueuedRun, 'labels'>,
  now: number,
): Promise<{ readonly run: Run; readonly created: boolean }> {
  const labels = asked.app === EVERY_APP ? {} : (await config().plan(asked.app)).labels;
  return enqueue(catalog.db, { ...asked, labels }, now);
}

export function accepted(run: Run): Accepted {
  return { body: { run: showRun(run), approval: null }, headers: { location: `/api/v1/runs/${run.id}` } };
}

/** The app of a run: the one that is named, all for work on the whole repository, or the only one there is. Throws `app_unknown`. */
export function appOfRun(api: Api, kind: string, app: string | undefined): string {
  const { about } = kindOf(kind);
  if (about === 'repository' && (app === undefined || app === EVERY_APP)) return EVERY_APP;
  return meantApp(api, app);
}

/** The app that a request means: the one it names, or the only one there is. Throws `app_unknown`. */
export function meantApp({ deps }: Api, app: string | undefined): string {
  const config = deps.config();
  if (app === undefined && config.appNames.length > 1)
    throw new Failure('app_unknown', 'Which app is meant?', { hint: 'Name it with "app".' });
  return config.appName(app);
}
