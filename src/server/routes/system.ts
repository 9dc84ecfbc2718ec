/** The set-up: is it safe, is it healthy, what is configured. */
import * as endpoints from '../../api/system.ts';
import { given } from '../../base/given.ts';
import { silent } from '../../base/progress.ts';
import { type StorageGrowth, storageGrowth } from '../../catalog/forecast.ts';
import { appHealth } from '../../catalog/health.ts';
import { type Measurement, readSeries } from '../../catalog/measurements.ts';
import { readStorages } from '../../catalog/statuses.ts';
import { listWorkers } from '../../catalog/workers.ts';
import { effectiveValues } from '../../config/effective.ts';
import { configurationJsonSchema } from '../../config/json-schema.ts';
import { doctor, gatherSetup } from '../../operations/doctor.ts';
import { collectKit, recoveryKit } from '../../operations/kit.ts';
import { status } from '../../operations/status.ts';
import { archivedSources } from '../../operations/wal-sources.ts';
import type { Api } from '../api.ts';
import { meantApp } from '../ask-run.ts';
import { pageResponse } from '../page.ts';
import { mayAct } from '../principal.ts';
import type { Reads } from '../reads.ts';
import { moment, text } from '../views/text.ts';
import { milliseconds, time, timeOrNull } from '../views/times.ts';

/** How exactly ages are told, in ms: what says how old something is holds for so long. */
const AGES_MS = 1_000;

export function registerSystem(api: Api, reads: Reads): void {
  const { deps } = api;

  api.route(endpoints.getStatus, async ({ query, signal }) => ({
    body: await statusOf(api, reads, meantApp(api, query.app), signal),
  }));

  api.route(endpoints.runDoctor, async ({ query, signal }) => ({ body: await diagnose(api, query.app, signal) }));

  api.route(endpoints.listApps, async ({ principal }) => {
    const config = deps.config();
    const seen = config.appNames.filter((app) => mayAct(principal, app, 'viewer'));
    return { body: { items: seen.map((app) => ({ app, sources: config.sourceTypes(app) })) } };
  });

  api.route(endpoints.listStorages, async () => {
    const { db } = deps.catalog;
    const { storageNames, checked } = deps.config();
    const known = new Map((await readStorages(db)).map((each) => [each.storage, each]));
    const items = storageNames.map((name) => {
      const { at, since, state, message } = known.get(name) ?? {};
      return {
        ...{ name, type: checked.values.storages[name]!.type, state: state ?? ('unknown' as const) },
        ...{ message: message ?? null, since: timeOrNull(since), seen_at: timeOrNull(at) },
      };
    });
    return { body: { items }, keep: true };
  });

  api.route(endpoints.listHealth, async ({ principal, now }) => {
    const seen = deps.config().appNames.filter((app) => mayAct(principal, app, 'viewer'));
    const items = await Promise.all(seen.map((app) => appHealth(deps.catalog.db, app, now)));
    const shown = items.map(({ reasons, ...rest }) => ({ ...rest, reasons: [...reasons] }));
    return { body: { items: shown }, keep: true, until: now + AGES_MS };
  });

  api.route(endpoints.listGrowth, async ({ now }) => ({
    body: { items: (await storageGrowth(deps.catalog.db, now)).map(showGrowth) },
    ...{ keep: true, until: now + AGES_MS },
  }));

  api.route(endpoints.listMeasurements, async ({ query: { since, until, name, app, storage, limit } }) => {
    const items = await readSeries(deps.catalog.db, {
      ...{ name, limit, ...given('app', app), ...given('storage', storage) },
      ...given('since', milliseconds(since)),
      ...given('until', milliseconds(until)),
    });
    return { text: Buffer.from(`{"items":[${items.map(measurementText).join(',')}]}`) };
  });

  api.route(endpoints.listWorkers, async () => {
    const workers = await listWorkers(deps.catalog.db);
    const items = workers.map(({ startedAt, seenAt, labels, ...rest }) => ({
      ...{ ...rest, labels: { ...labels }, started_at: time(startedAt), seen_at: time(seenAt) },
    }));
    return { body: { items }, keep: true };
  });

  api.route(endpoints.getKit, async ({ query, signal }) => {
    const input = { config: deps.config(), programVersion: deps.build.version, withPassword: false };
    const kit = recoveryKit(await reads.use(signal, (session) => collectKit(session, input)), query.format);
    if (query.format === 'html') return pageResponse(kit);
    return new Response(kit, { headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } });
  });

  api.route(endpoints.getConfig, async () => {
    const { checked, file } = deps.config();
    return {
      body: { file, values: effectiveValues(checked).map(({ path, value, origin }) => ({ path, value, origin })) },
    };
  });

  api.route(endpoints.getConfigSchema, async () => ({ body: { ...configurationJsonSchema() } }));
  api.route(endpoints.getVersion, async () => ({ body: deps.build }));
}

function measurementText({ name, app, storage, at, value }: Measurement): string {
  return `{"name":${text(name)},"app":${text(app)},"storage":${text(storage)},"at":${moment(at)},"value":${value}}`;
}

function showGrowth(growth: StorageGrowth) {
  const { storage, days } = growth;
  return {
    ...{ storage, days, used_bytes: growth.usedBytes, measured_at: time(growth.measuredAt) },
    ...{ capacity_bytes: growth.capacityBytes ?? null, used_percent: growth.usedPercent ?? null },
    ...{ bytes_per_day: growth.bytesPerDay ?? null, full_on: timeOrNull(growth.fullOn) },
  };
}

export async function statusOf(api: Api, reads: Reads, name: string, signal: AbortSignal) {
  const config = api.deps.config();
  const input = {
    app: await config.app(name),
    sources: config.sourceTypes(name),
    archived: await archivedSources(config, name),
    requiredCopies: await config.requiredCopies(),
  };
  const report = await reads.use(signal, (session) => status(session, input));
  return {
    ...report,
    objectives: report.objectives.map((each) => ({ ...each })),
    newest: report.newest === null ? null : { ...report.newest },
    storages: report.storages.map((each) => ({ ...each })),
    last_proof: report.last_proof === null ? null : { ...report.last_proof },
  };
}

/** Of one app, or of all. */
export async function diagnose({ deps }: Api, app: string | undefined, signal: AbortSignal) {
  const { clock, env } = deps;
  const path = (env.PATH ?? '').split(':').filter((directory) => directory !== '');
  const world = { path, clock, signal, progress: silent, ...given('app', app) };
  const input = await gatherSetup(deps.config(), world);
  try {
    const findings = await doctor(input);
    return { problems: findings.filter(({ severity }) => severity === 'problem').length, findings };
  } finally {
    await Promise.all(input.stores.map((entry) => ('value' in entry ? entry.value.store.close() : undefined)));
  }
}
