/** Backup configurations, jobs and restores: other paths to schedules and runs. */
import * as endpoints from '../../api/backup.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { latestDiagnosis, saveDiagnosis } from '../../catalog/diagnoses.ts';
import { getRun, type Run } from '../../catalog/runs.ts';
import { listSchedules, type Schedule } from '../../catalog/schedules.ts';
import { readStatus } from '../../catalog/statuses.ts';
import type { Api } from '../api.ts';
import { sendArchive } from '../archive.ts';
import { askRun, meantApp } from '../ask-run.ts';
import { serviceFindings } from '../health-checks.ts';
import type { Reads } from '../reads.ts';
import { RunPages } from '../run-pages.ts';
import { type Asking, ScheduleBook, unknownSchedule } from '../schedule-book.ts';
import { jobText, showConfiguration, showJob, toSchedule } from '../views/backup.ts';
import { time } from '../views/times.ts';
import { diagnose, statusOf } from './system.ts';

export function registerBackup(api: Api, reads: Reads, downloads: Reads): void {
  registerConfigurations(api);
  registerJobs(api, downloads);
  registerLooks(api, reads);
}

function registerConfigurations(api: Api): void {
  const { db } = api.deps.catalog;
  const book = new ScheduleBook(api.deps);
  const show = (schedule: Schedule) => showConfiguration(schedule, sourcesOf(api, schedule.app));

  api.route(endpoints.listConfigurations, async ({ query }) => {
    const schedules = await listSchedules(db, given('app', query.app));
    return { body: { items: schedules.filter(({ kind }) => kind === 'backup').map(show) }, keep: true };
  });

  api.route(endpoints.createConfiguration, async ({ body, now }) => {
    const app = meantApp(api, body.app);
    const added = await book.add(toSchedule(app, body, sourcesOf(api, app)), now);
    return { body: show(added), headers: { location: `/api/v1/backup/configurations/${added.id}` } };
  });

  api.route(endpoints.getConfiguration, async (call) => ({
    body: show(ofBackups(await book.seen(call.params.id, call))),
  }));

  api.route(endpoints.setConfigurationActive, async (call) => {
    const known = ofBackups(await book.changeable(call.params.id, call));
    return { body: show(await book.change(known, { ...known, enabled: call.body.is_active }, call.now)) };
  });

  api.route(endpoints.executeConfiguration, async (call) => {
    const begun = await book.runNow(ofBackups(await book.seen(call.params.id, call)), call);
    if (!('run' in begun)) throw new Failure('forbidden', 'This waits for a second person: ask for the run itself.');
    return { body: showJob(begun.run), headers: { location: `/api/v1/backup/jobs/${begun.run.id}` } };
  });

  api.route(endpoints.runDue, async ({ query, now }) => {
    const launched = await book.runDue(query.app, now);
    return {
      body: {
        items: launched
          .map(({ run }) => run)
          .filter(isBackup)
          .map(showJob),
      },
    };
  });
}

function registerJobs(api: Api, downloads: Reads): void {
  const { db } = api.deps.catalog;
  const pages = new RunPages(db, jobText);

  api.route(endpoints.listJobs, async ({ query: { configuration, ...filter } }) => {
    const { app, state, cursor, limit } = filter;
    const text = await pages.page({
      ...{ kind: 'backup', limit, ...given('app', app), ...given('state', state), ...given('cursor', cursor) },
      ...given('schedule', configuration),
    });
    return { text };
  });

  api.route(endpoints.getJob, async (call) => ({ body: showJob(await seenJob(call.params.id, call)) }));

  api.route(endpoints.downloadJob, async (call) => {
    const { app, outcome } = await seenJob(call.params.id, call);
    if (typeof outcome?.point !== 'string') throw new Failure('point_unknown', 'This job made no restore point.');
    return sendArchive(downloads, call, { app, point: outcome.point, path: '', format: call.query.format });
  });

  api.route(endpoints.listRestores, async ({ query: { app, cursor, limit } }) => {
    const filter = { kind: 'restore', limit, ...given('app', app), ...given('cursor', cursor) };
    return { text: await pages.page(filter) };
  });

  api.route(endpoints.restoreFromBackup, async (call) => {
    const { app, backup, to, sources, in_place: inPlace, confirm, reason } = call.body;
    const params = {
      ...{ point: backup, ...given('to', to), ...given('source', sources), ...given('confirm', confirm) },
      ...(inPlace ? { inPlace } : {}),
      ...given('reason', reason),
    };
    return askRun(api, call, { app: meantApp(api, app), kind: 'restore', params, ...given('reason', reason) });
  });

  async function seenJob(id: string, asking: Asking): Promise<Run> {
    const unknown = () => new Failure('run_unknown', 'There is no such job.');
    const run = await getRun(db, id);
    if (run === undefined || !isBackup(run)) throw unknown();
    asking.allow(run.app, unknown);
    return run;
  }
}

function registerLooks(api: Api, reads: Reads): void {
  const { deps } = api;
  const { db } = deps.catalog;

  api.route(endpoints.getSystemStatus, async ({ signal }) => {
    const apps = await Promise.all(deps.config().appNames.map((app) => knownStatus(app, signal)));
    const worst = (['broken', 'attention'] as const).find((word) => apps.some(({ outcome }) => outcome === word));
    return { body: { outcome: worst ?? ('safe' as const), apps } };
  });

  api.route(endpoints.runHealthCheck, async ({ query, signal, now }) => {
    const [service, setup] = await Promise.all([
      serviceFindings({ catalog: deps.catalog, config: deps.config(), clock: deps.clock }),
      diagnose(api, query.app, signal),
    ]);
    const findings = [...service, ...setup.findings];
    const report = { problems: findings.filter(({ severity }) => severity === 'problem').length, findings };
    await saveDiagnosis(db, { at: now, report });
    return { body: { ...report, checked_at: time(now) } };
  });

  api.route(endpoints.getLatestHealth, async () => {
    const kept = await latestDiagnosis(db);
    if (kept === undefined) return { body: { latest: null } };
    const report = kept.report as unknown as Awaited<ReturnType<typeof diagnose>>;
    return { body: { latest: { ...report, checked_at: time(kept.at) } } };
  });

  /** As it was after the last run; asked for now when nothing ran yet. */
  async function knownStatus(app: string, signal: AbortSignal) {
    const known = await readStatus(db, app);
    return known === undefined
      ? statusOf(api, reads, app, signal)
      : (known.report as unknown as Awaited<ReturnType<typeof statusOf>>);
  }
}

function ofBackups(schedule: Schedule): Schedule {
  if (schedule.kind === 'backup') return schedule;
  throw unknownSchedule();
}

function isBackup({ kind }: Run): boolean {
  return kind === 'backup';
}

/** None for an app that is no longer configured. */
function sourcesOf({ deps }: Api, app: string) {
  const config = deps.config();
  return config.appNames.includes(app) ? config.sourceTypes(app) : [];
}
