/** Events: the stream, and the list of the past. */
import * as endpoints from '../../api/events.ts';
import { Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { type CatalogEvent, EVENT_TYPES, type EventType, readEventRows } from '../../catalog/events.ts';
import type { Api } from '../api.ts';
import { EventFeed } from '../feed.ts';
import { pageText } from '../json.ts';
import { mayAct, type Principal, requireRole } from '../principal.ts';
import { invalid } from '../request.ts';
import { streamed } from '../streamed.ts';
import { eventText, rowText } from '../views/event.ts';

/** How soon a stream ends that nobody may hear any more, in ms. */
const ASK_AGAIN_MS = 15_000;

interface Filter {
  readonly app?: string | undefined;
  readonly type?: readonly string[] | undefined;
  readonly run?: string | undefined;
}

export function registerEvents(api: Api): void {
  const { deps, limits } = api;
  const { db } = deps.catalog;
  const feed = new EventFeed(deps.catalog, deps.clock, deps.signal);
  let open = 0;

  /** Asked again while a stream goes on: who was logged out, disabled or lost the role hears no more. */
  const asking = (principal: Principal, app: string) => {
    let asked = deps.clock.now();
    return async () => {
      if (deps.access.still === undefined || deps.clock.now() - asked < ASK_AGAIN_MS) return true;
      asked = deps.clock.now();
      const now = await deps.access.still(principal);
      return now !== undefined && mayAct(now, app, 'viewer');
    };
  };

  api.route(endpoints.streamEvents, async ({ query, principal, request, signal }) => {
    requireRole(principal, query.app ?? '*', 'viewer');
    const after = lastSeen(request) ?? query.after ?? (await feed.newest());
    if (open >= limits.streams) throw new Failure('request_timeout', 'Too many streams are open; try again later.');
    open += 1;
    let counted = true;
    const leave = () => {
      if (counted) open -= 1;
      counted = false;
    };
    const stillMay = asking(principal, query.app ?? '*');
    const headers = { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' };
    return streamed(request, headers, async (write) => {
      try {
        if (!(await write(`retry: 3000\nid: ${after}\n\n`))) return;
        for await (const batch of feed.follow(after, limits.heartbeat, signal))
          if (!(await stillMay()) || !(await write(textOf(batch, query)))) return;
      } finally {
        leave();
      }
    });
  });

  api.route(endpoints.listEvents, async ({ query }) => {
    const { after, limit, app, run, type } = query;
    const filter = { ...given('app', app), ...given('runId', run), ...given('types', type && typesOf(type)) };
    const found = await readEventRows(db, after, limit, filter);
    return { text: pageText(found.map(rowText), found.at(-1)?.seq ?? after) };
  });
}

/** The number that `Last-Event-ID` names; a client that comes back says it. */
function lastSeen(request: Request): number | undefined {
  const header = request.headers.get('last-event-id');
  if (header === null || header === '') return undefined;
  if (/^\d{1,15}$/.test(header)) return Number(header);
  throw invalid([{ in: 'header', path: 'Last-Event-ID', message: 'must be the id of an event' }]);
}

/** The last line tells the number of the newest event also where none of the batch passes: coming back does not read them again. */
function textOf(batch: readonly CatalogEvent[], filter: Filter): string {
  const newest = batch.at(-1);
  if (newest === undefined) return ': alive\n\n';
  const passed = batch.filter((event) => passes(event, filter));
  const texts = passed.map((event) => `event: ${event.type}\nid: ${event.seq}\ndata: ${eventText(event)}\n\n`);
  return `${texts.join('')}${passed.at(-1) === newest ? '' : `id: ${newest.seq}\n\n`}`;
}

function passes(event: CatalogEvent, { app, type, run }: Filter): boolean {
  if (app !== undefined && event.app !== app) return false;
  if (run !== undefined && event.runId !== run) return false;
  return type === undefined || type.some((wanted) => isOf(event.type, wanted));
}

function typesOf(wanted: readonly string[]): EventType[] {
  return EVENT_TYPES.filter((type) => wanted.some((each) => isOf(type, each)));
}

/** `run` stands for `run.started` and all the others that begin so. */
function isOf(type: EventType, wanted: string): boolean {
  return type === wanted || type.startsWith(`${wanted}.`);
}
