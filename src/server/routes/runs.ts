/** Runs: list, ask for, follow, cancel. */
import * as endpoints from '../../api/runs.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { addRunInput, listRunInputs } from '../../catalog/run-inputs.ts';
import { readLog, readSteps } from '../../catalog/run-log.ts';
import { cancelRun, getRun, OVER, type Run } from '../../catalog/runs.ts';
import { kindSchemas } from '../../scheduler/kinds.ts';
import type { Api } from '../api.ts';
import { appOfRun, askRun } from '../ask-run.ts';
import { RunPages } from '../run-pages.ts';
import { showLine, showRun, showStep } from '../views/run.ts';
import { runText } from '../views/run-text.ts';
import { milliseconds, time } from '../views/times.ts';

interface Asking {
  readonly params: { readonly run: string };
  allow(app: string, unknown: () => Failure): void;
}

export function registerRuns(api: Api): void {
  const { catalog } = api.deps;
  const { db } = catalog;
  const pages = new RunPages(db, runText);

  api.route(endpoints.listRuns, async ({ query: { since, until, ...filter } }) => ({
    text: await pages.page({
      ...definedOf(filter),
      limit: filter.limit,
      ...given('since', milliseconds(since)),
      ...given('until', milliseconds(until)),
    }),
  }));

  api.route(endpoints.createRun, async (call) => {
    const { kind, params, reason, priority, app } = call.body;
    const asked = { app: appOfRun(api, kind, app), kind, params, ...given('reason', reason) };
    return askRun(api, call, { ...asked, ...given('priority', priority) });
  });

  api.route(endpoints.getRun, async (call) => ({ body: showRun(await seen(call)) }));

  api.route(endpoints.cancelRun, async (call) => {
    const run = await seen(call);
    const outcome = await cancelRun(db, run.id, call.principal.name, call.now);
    if (outcome === 'unknown') throw unknownRun();
    if (outcome === 'over') throw ended();
    return { body: showRun((await getRun(db, run.id)) ?? run) };
  });

  api.route(endpoints.listRunSteps, async (call) => {
    const { id } = await seen(call);
    return { body: { items: (await readSteps(db, id)).map(showStep) } };
  });

  api.route(endpoints.listRunLog, async (call) => {
    const { id } = await seen(call);
    const { after, limit } = call.query;
    const lines = await readLog(db, id, { after, limit: limit + 1 });
    const items = lines.slice(0, limit).map(showLine);
    return { body: { items, next: lines.length > limit ? (items.at(-1)?.seq ?? null) : null } };
  });

  api.route(endpoints.listRunInputs, async (call) => {
    const { id } = await seen(call);
    const inputs = await listRunInputs(db, id);
    return { body: { items: inputs.map((input) => ({ ...input, at: time(input.at) })) } };
  });

  api.route(endpoints.addRunInput, async (call) => {
    const run = await seen(call);
    if (OVER.includes(run.state)) throw ended();
    const { kind, step, text } = call.body;
    const input = { by: call.principal.name, kind, step: step ?? null, text: text ?? null };
    const added = await addRunInput(catalog, run.id, input, call.now);
    return { body: { ...added, at: time(added.at) } };
  });

  api.route(endpoints.listRunKinds, async () => ({
    body: { items: [...kindSchemas()].map(([kind, params]) => ({ kind, params: { ...params } })) },
  }));

  /** Throws `run_unknown` also for what may not be seen. */
  async function seen({ params, allow }: Asking): Promise<Run> {
    const run = await getRun(db, params.run);
    if (run === undefined) throw unknownRun();
    allow(run.app, unknownRun);
    return run;
  }
}

function unknownRun(): Failure {
  return new Failure('run_unknown', 'There is no such run.', {
    hint: 'List them with "holdfast runs", or GET /api/v1/runs.',
  });
}

function ended(): Failure {
  return new Failure('run_ended', 'The run has ended already.');
}

/** Without the members that are undefined. */
function definedOf<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}
