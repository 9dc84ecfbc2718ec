/** Schedules: those of the configuration file to look at, others to make, change and remove; any to run now. */
import * as endpoints from '../../api/schedules.ts';
import { given } from '../../base/given.ts';
import { pageOfSchedules } from '../../catalog/schedule-pages.ts';
import { removeSchedule, type Schedule } from '../../catalog/schedules.ts';
import type { Api } from '../api.ts';
import { accepted, heldBack, meantApp } from '../ask-run.ts';
import { requireMatch } from '../etag.ts';
import { jsonText, pageText } from '../json.ts';
import { type Asking, ScheduleBook, unknownSchedule } from '../schedule-book.ts';
import { changed, showSchedule, toNewSchedule } from '../views/schedule.ts';
import { scheduleText } from '../views/schedule-text.ts';

export function registerSchedules(api: Api): void {
  const { db } = api.deps.catalog;
  const book = new ScheduleBook(api.deps);

  api.route(endpoints.listSchedules, async ({ query: { app, kind, enabled, cursor, limit } }) => {
    const filter = { ...given('app', app), ...given('kind', kind), ...given('enabled', enabled) };
    const { schedules, next } = await pageOfSchedules(db, { ...filter, ...given('cursor', cursor), limit });
    return { text: pageText(schedules.map(scheduleText), next) };
  });

  api.route(endpoints.getSchedule, async (call) => ({
    body: showSchedule(await book.seen(call.params.schedule, call)),
  }));

  api.route(endpoints.createSchedule, async ({ body, now }) => {
    const added = await book.add(toNewSchedule(meantApp(api, body.app), body), now);
    return { body: showSchedule(added), headers: { location: `/api/v1/schedules/${added.id}` } };
  });

  api.route(endpoints.changeSchedule, async (call) => {
    const known = await unchanged(call);
    return { body: showSchedule(await book.change(known, changed(known, call.body), call.now)) };
  });

  api.route(endpoints.deleteSchedule, async (call) => {
    const { id } = await unchanged(call);
    if (!(await removeSchedule(db, id, call.now))) throw unknownSchedule();
    return {};
  });

  api.route(endpoints.runSchedule, async (call) => {
    const begun = await book.runNow(await book.seen(call.params.schedule, call), call);
    return 'run' in begun ? accepted(begun.run) : heldBack(begun);
  });

  api.route(endpoints.runDueSchedules, async ({ query, now }) => {
    const launched = await book.runDue(query.app, now);
    return { body: { items: launched.map(({ schedule, run }) => ({ schedule, run: run.id })) } };
  });

  /** Throws `changed_meanwhile` when `If-Match` names another version. */
  async function unchanged(
    call: Asking & { readonly request: Request; readonly params: { readonly schedule: string } },
  ): Promise<Schedule> {
    const schedule = await book.changeable(call.params.schedule, call);
    requireMatch(call.request, jsonText(showSchedule(schedule)));
    return schedule;
  }
}
