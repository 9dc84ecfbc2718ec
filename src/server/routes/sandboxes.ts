/** Sandboxes, which are runs of the kind `sandbox`. */
import * as endpoints from '../../api/sandboxes.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { cancelRun, getRun, listRuns, type Run } from '../../catalog/runs.ts';
import type { Api } from '../api.ts';
import { askRun, meantApp } from '../ask-run.ts';
import { showSandbox } from '../views/sandbox.ts';

interface Asking {
  readonly params: { readonly sandbox: string };
  allow(app: string, unknown: () => Failure): void;
}

const MOST = 500;

export function registerSandboxes(api: Api): void {
  const { db } = api.deps.catalog;

  api.route(endpoints.listSandboxes, async ({ query }) => {
    const state = ['waiting', 'queued', 'running'] as const;
    const { runs } = await listRuns(db, { kind: 'sandbox', state, limit: MOST, ...given('app', query.app) });
    return { body: { items: runs.map(showSandbox) }, keep: true };
  });

  api.route(endpoints.createSandbox, async (call) => {
    const { app, with_files: withFiles, reason, ...rest } = call.body;
    const params = { ...rest, ...(withFiles ? { withFiles } : {}) };
    const asked = { app: meantApp(api, app), kind: 'sandbox', params, ...given('reason', reason) };
    const { body } = await askRun(api, call, asked);
    const run = body.run === null ? undefined : await getRun(db, body.run.id);
    if (run === undefined) throw new Failure('forbidden', 'This waits for a second person: ask for the run itself.');
    return { body: showSandbox(run), headers: { location: `/api/v1/sandboxes/${run.id}` } };
  });

  api.route(endpoints.getSandbox, async (call) => ({ body: showSandbox(await seen(call)) }));

  api.route(endpoints.endSandbox, async (call) => {
    const run = await seen(call);
    const outcome = await cancelRun(db, run.id, call.principal.name, call.now);
    if (outcome === 'over') throw new Failure('run_ended', 'The sandbox has ended already.');
    return { body: showSandbox((await getRun(db, run.id)) ?? run) };
  });

  /** Throws `run_unknown`, also for what may not be seen. */
  async function seen({ params, allow }: Asking): Promise<Run> {
    const unknown = () => new Failure('run_unknown', 'There is no such sandbox.');
    const run = await getRun(db, params.sandbox);
    if (run?.kind !== 'sandbox') throw unknown();
    allow(run.app, unknown);
    return run;
  }
}
