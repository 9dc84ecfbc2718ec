/** Schedules: those of the configuration file to look at, others to make, change and remove; any to run now. */
import * as endpoints from '../../api/schedules.ts';
import { asFailure, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import {
  addSchedule,
  changeSchedule,
  getSchedule,
  listSchedules,
  type NewSchedule,
  removeSchedule,
  type Schedule,
  type ScheduleTimes,
} from '../../catalog/schedules.ts';
import { nextTime } from '../../scheduler/cron.ts';
import { checkedParams } from '../../scheduler/kinds.ts';
import { launchNow } from '../../scheduler/launch.ts';
import { followersOf, startDue } from '../../scheduler/ticker.ts';
import { leastRoleFor } from '../access/approvals.ts';
import type { Api } from '../api.ts';
import { accepted, heldBack, meantApp } from '../ask-run.ts';
import { requireMatch } from '../etag.ts';
import { jsonText } from '../json.ts';
import { requireRole } from '../principal.ts';
import { invalid } from '../request.ts';
import { changed, showSchedule, toNewSchedule } from '../views/schedule.ts';

interface Asking {
  readonly params: { readonly schedule: string };
  allow(app: string, unknown: () => Failure): void;
}

export function registerSchedules(api: Api): void {
  const { catalog, log } = api.deps;
  const { db } = catalog;

  api.route(endpoints.listSchedules, async ({ query: { app, kind, enabled } }) => {
    const schedules = await listSchedules(db, { ...given('app', app), ...given('enabled', enabled) });
    return { body: { items: schedules.filter((each) => kind === undefined || each.kind === kind).map(showSchedule) } };
  });

  api.route(endpoints.getSchedule, async (call) => ({ body: showSchedule(await seen(call)) }));

  api.route(endpoints.createSchedule, async ({ body, now }) => {
    const schedule = toNewSchedule(meantApp(api, body.app), body);
    checkedParams(schedule.kind, schedule.params);
    await refuseTakenName(schedule);
    const added = await addSchedule(db, schedule, timesOf(schedule, now), now);
    return { body: showSchedule(added), headers: { location: `/api/v1/schedules/${added.id}` } };
  });

  api.route(endpoints.changeSchedule, async (call) => {
    const known = await changeable(call);
    const schedule = changed(known, call.body);
    checkedParams(schedule.kind, schedule.params);
    if (schedule.name !== known.name) await refuseTakenName(schedule);
    const after = await changeSchedule(db, known.id, known.version, schedule, timesOf(schedule, call.now), call.now);
    if (after === undefined) throw new Failure('changed_meanwhile', 'Somebody else changed it at the same moment.');
    return { body: showSchedule(after) };
  });

  api.route(endpoints.deleteSchedule, async (call) => {
    const { id } = await changeable(call);
    if (!(await removeSchedule(db, id, call.now))) throw unknownSchedule();
    return {};
  });

  api.route(endpoints.runSchedule, async (call) => {
    const schedule = await seen(call);
    const { principal, once, now } = call;
    requireRole(principal, schedule.app, leastRoleFor(schedule.kind));
    const held = await api.deps.access.hold?.(schedule, principal);
    if (held !== undefined) return heldBack(held);
    const asked = { trigger: 'api', requestedBy: principal.name, ...given('dedupe', once) };
    const launched = await api.deps.catalog.transaction(async (tx) =>
      launchNow(tx, schedule, { followers: await followersOf(tx) }, asked, now),
    );
    return accepted(launched[0]!.run);
  });

  api.route(endpoints.runDueSchedules, async ({ query, now }) => {
    const onProblem = (message: string, error: unknown) => log.error(`${message}.`, { error });
    const launched = await startDue(catalog, now, { ...given('app', query.app), onProblem });
    return { body: { items: launched.map(({ schedule, run }) => ({ schedule, run: run.id })) } };
  });

  async function seen({ params, allow }: Asking): Promise<Schedule> {
    const schedule = await getSchedule(db, params.schedule);
    if (schedule === undefined) throw unknownSchedule();
    allow(schedule.app, unknownSchedule);
    return schedule;
  }

  /** Throws `managed_by_file`, and `changed_meanwhile` when `If-Match` names another version. */
  async function changeable(call: Asking & { readonly request: Request }): Promise<Schedule> {
    const schedule = await seen(call);
    if (schedule.origin === 'file')
      throw new Failure('managed_by_file', `The configuration file says when "${schedule.name}" runs.`, {
        hint: `Change apps.${schedule.app}.schedules there.`,
      });
    requireMatch(call.request, jsonText(showSchedule(schedule)));
    return schedule;
  }

  async function refuseTakenName({ app, name }: NewSchedule): Promise<void> {
    const taken = (await listSchedules(db, { app })).some((each) => each.name === name);
    if (taken) throw invalid([{ in: 'body', path: 'name', message: `is taken by another schedule of ${app}` }]);
  }
}

/** Nothing that was due before now counts. */
function timesOf({ cron, timezone, enabled }: NewSchedule, now: number): ScheduleTimes {
  try {
    const next = nextTime(cron, timezone, now);
    return { evaluatedUntil: now, nextAt: enabled ? (next ?? null) : null };
  } catch (error) {
    const { message } = asFailure(error);
    throw invalid([{ in: 'body', path: error instanceof RangeError ? 'timezone' : 'cron', message }]);
  }
}

function unknownSchedule(): Failure {
  return new Failure('schedule_unknown', 'There is no such schedule.', {
    hint: 'List them with GET /api/v1/schedules.',
  });
}
