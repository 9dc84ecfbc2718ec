/** Lists of the service when its catalog has grown for years: a million runs, a hundred thousand points, fifty clients at once. */
import { join } from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { type Catalog, type CatalogPlace, openCatalog } from '../../src/catalog/catalog.ts';
import { listPoints } from '../../src/catalog/points.ts';
import { listRuns, type RunFilter } from '../../src/catalog/runs.ts';
import { startPostgres } from '../../test/support/postgres/server.ts';
import { APPS, fillCatalog, SCHEDULES, scheduleId } from '../data/catalog.ts';
import type { Bench } from '../harness/context.ts';
import type { Figure } from '../harness/results.ts';

const CLIENTS = 50;
/** Calls of each client, two a second. */
const CALLS = 4;
const EVERY_MS = 500;
const LIMIT = 50;
const PLACES = 1_000;

type List = readonly [name: string, call: (catalog: Catalog, turn: number) => Promise<unknown>];

export const catalog: Bench = {
  name: 'catalog',
  title: 'Lists of a catalog with a million runs and a hundred thousand points',
  async run({ quick, workspace, say }) {
    const [runs, points] = quick ? [20_000, 5_000] : [1_000_000, 100_000];
    const figures: Figure[] = [];
    const measure = async (database: string, place: CatalogPlace) => {
      say(`filling ${database} …`);
      const began = systemClock.monotonic();
      await fillCatalog(place, runs, points);
      await using opened = await openCatalog(place);
      say(`filled in ${((systemClock.monotonic() - began) / 1_000).toFixed(0)} s`);
      for (const [name, call] of lists(await places(opened))) {
        figures.push({ what: `${database}, ${name}`, value: await latencies(opened, call, quick ? 1 : CALLS) });
      }
    };
    await measure('SQLite', { path: join(workspace.path, 'catalog.sqlite') });
    await using server = await startPostgres({ major: 17, settings: { shared_buffers: '256MB' } });
    await server.sql('create database catalog');
    await measure('PostgreSQL 17', { url: server.url({ database: 'catalog' }) });
    return {
      about: `Pages of ${LIMIT}, asked for by ${CLIENTS} clients in one process, each twice a second, through the functions that the API calls.`,
      rows: [],
      figures,
    };
  },
};

/** Cursors from all over the lists. */
interface Places {
  readonly runs: readonly string[];
  readonly points: readonly string[];
}

async function places({ db }: Catalog): Promise<Places> {
  const runs = await db.selectFrom('runs').select('id').orderBy('id').execute();
  const points = await db.selectFrom('points').select(['id', 'time']).orderBy('time').execute();
  return {
    runs: some(runs.map(({ id }) => id)),
    points: some(points.map(({ id, time }) => `${time}.${id}`)),
  };
}

function some<T>(all: readonly T[]): T[] {
  return Array.from({ length: PLACES }, (_, n) => all[(n * 7919) % all.length]!);
}

function lists({ runs, points }: Places): readonly List[] {
  const app = (turn: number) => `app${(turn * 31) % APPS}`;
  const of = (name: string, filter: (turn: number) => Partial<RunFilter>): List => [
    `runs, ${name}`,
    ({ db }, turn) => listRuns(db, { ...filter(turn), limit: LIMIT }),
  ];
  const deep = (turn: number) => runs[turn % PLACES]!;
  return [
    of('newest', () => ({})),
    of('any page', (turn) => ({ cursor: deep(turn) })),
    of('one app', (turn) => ({ app: app(turn), cursor: deep(turn) })),
    of('three apps', (turn) => ({ apps: [app(turn), app(turn + 1), app(turn + 2)] })),
    of('failed', (turn) => ({ state: 'failed', cursor: deep(turn) })),
    of('failed or skipped', () => ({ state: ['failed', 'skipped'] })),
    of('running', () => ({ state: 'running' })),
    of('one app, failed', (turn) => ({ app: app(turn), state: 'failed' })),
    of('one app, one kind', (turn) => ({ app: app(turn), kind: 'prove' })),
    of('one kind, skipped', () => ({ kind: 'check', state: 'skipped' })),
    of('one kind, running', () => ({ kind: 'backup', state: 'running' })),
    of('one schedule', (turn) => ({ schedule: scheduleId(turn % SCHEDULES) })),
    ['points, newest', ({ db }) => listPoints(db, { limit: LIMIT })],
    ['points, any page', ({ db }, turn) => listPoints(db, { cursor: points[turn % PLACES]!, limit: LIMIT })],
    ['points, one app', ({ db }, turn) => listPoints(db, { app: app(turn), limit: LIMIT })],
    ['points, one app, pinned', ({ db }, turn) => listPoints(db, { app: app(turn), pinned: true, limit: LIMIT })],
    ['points, pinned', ({ db }) => listPoints(db, { pinned: true, limit: LIMIT })],
    ['points, restored', ({ db }) => listPoints(db, { proof: 'restored', limit: LIMIT })],
  ];
}

/** Clients ask twice a second, each from its own moment on: what people who look at pages do, not a queue that is always full. */
async function latencies(opened: Catalog, call: List[1], calls: number): Promise<string> {
  const taken: number[] = [];
  const client = async (_: unknown, place: number) => {
    await systemClock.sleep((place * EVERY_MS) / CLIENTS);
    for (let turn = 0; turn < calls; turn++) {
      const before = systemClock.monotonic();
      await call(opened, turn * CLIENTS + place);
      const took = systemClock.monotonic() - before;
      taken.push(took);
      await systemClock.sleep(Math.max(0, EVERY_MS - took));
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, client));
  taken.sort((a, b) => a - b);
  const at = (part: number) => `${taken[Math.floor(part * (taken.length - 1))]!.toFixed(1)} ms`;
  return `half within ${at(0.5)}, 99 % within ${at(0.99)}`;
}
