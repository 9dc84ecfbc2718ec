/** The catalog on SQLite and on PostgreSQL: one suite, real databases, many connections at once. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import { given } from '../../src/base/given.ts';
import { newId } from '../../src/base/ids.ts';
import { type Catalog, openCatalog } from '../../src/catalog/catalog.ts';
import { claimRun, expireLeases, finishRun, renewLease, requeueRun } from '../../src/catalog/claim.ts';
import { appendEvent, newestEvent, readEvents, watchEvents } from '../../src/catalog/events.ts';
import { dropLease, holdsLease, takeLease } from '../../src/catalog/leases.ts';
import { longestUnread, notePresent, noteRead, summarise } from '../../src/catalog/ledger.ts';
import { latest, measure, readSeries } from '../../src/catalog/measurements.ts';
import { type CatalogPoint, getPoint, listPoints, replacePoints, savePoint } from '../../src/catalog/points.ts';
import { readLog, readSteps, reportRun } from '../../src/catalog/run-log.ts';
import { cancelRun, createRun, getRun, listRuns, type NewRun, type Run } from '../../src/catalog/runs.ts';
import { pageOfSchedules } from '../../src/catalog/schedule-pages.ts';
import {
  addSchedule,
  changeSchedule,
  dueSchedules,
  listSchedules,
  type NewSchedule,
  nextDue,
  noteEvaluated,
  removeSchedule,
} from '../../src/catalog/schedules.ts';
import { heartbeat, listWorkers, removeLostWorkers, removeWorker } from '../../src/catalog/workers.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { type TempDir, tempDir } from '../support/temp.ts';

const NOW = Date.UTC(2026, 10, 21, 3);
const LEASE = 60_000;
const ANYONE = { id: 'worker-1', labels: {} };

let directory: TempDir;
let server: TestServer;
before(async () => {
  directory = await tempDir({ prefix: 'hf-catalog' });
  server = await startPostgres({ major: 17 });
});
after(async () => {
  await server?.[Symbol.asyncDispose]();
  await directory?.remove();
});

let made = 0;
const places = {
  SQLite: async () => ({ path: join(directory.path, `${++made}.sqlite`) }),
  PostgreSQL: async () => {
    const database = `catalog${++made}`;
    await server.sql(`create database ${database}`);
    return { url: server.url({ database }) };
  },
};

const backup = (more: Partial<NewRun> = {}): NewRun => ({
  app: 'clinic',
  kind: 'backup',
  trigger: 'schedule',
  ...more,
});

async function add(catalog: Catalog, more: Partial<NewRun> = {}, now = NOW): Promise<Run> {
  return (await createRun(catalog.db, backup(more), now)).run;
}

async function types(catalog: Catalog): Promise<string[]> {
  return (await readEvents(catalog.db, 0, 1000)).map(({ type }) => type);
}

for (const [name, place] of Object.entries(places)) {
  describe(name, () => {
    let catalog: Catalog;
    let where: Awaited<ReturnType<typeof place>>;
    before(async () => {
      where = await place();
      catalog = await openCatalog(where);
    });
    after(() => catalog[Symbol.asyncDispose]());
    const fresh = async () => {
      for (const table of ['runs', 'run_steps', 'run_log', 'events', 'schedules', 'points', 'workers'] as const) {
        await catalog.db.deleteFrom(table).execute();
      }
    };

    test('many claimers at once: each run is claimed once, and one of those that exclude each other', async () => {
      await fresh();
      const others = await Promise.all(Array.from({ length: 3 }, () => openCatalog(where)));
      const ids = [];
      for (let n = 0; n < 30; n++) ids.push((await add(catalog)).id);
      for (let n = 0; n < 10; n++) await add(catalog, { app: 'shop', exclusive: 'shop' });
      const claims = Array.from({ length: 40 }, async (_, n) =>
        claimRun([catalog, ...others][n % 4]!, { id: `worker-${n}`, labels: {} }, NOW, LEASE),
      );
      const first = (await Promise.all(claims)).filter((run) => run !== undefined);
      // whoever lost a race for the exclusive one may have gone with nothing: what is left is claimed now
      for (
        let run = await claimRun(catalog, ANYONE, NOW, LEASE);
        run;
        run = await claimRun(catalog, ANYONE, NOW, LEASE)
      ) {
        first.push(run);
      }
      assert.deepEqual(
        first
          .filter(({ app }) => app === 'clinic')
          .map(({ id }) => id)
          .sort(),
        ids.sort(),
      );
      assert.equal(first.filter(({ app }) => app === 'shop').length, 1);
      for (const other of others) await other[Symbol.asyncDispose]();
    });

    test('the most urgent comes first, then the oldest; labels and the time are respected', async () => {
      await fresh();
      const later = await add(catalog, { priority: 9, notBefore: NOW + 1 });
      const old = await add(catalog);
      const urgent = await add(catalog, { priority: 5 });
      const north = await add(catalog, { priority: 7, labels: { site: 'north', disk: 'ssd' } });
      const taken = async (worker: { id: string; labels: Record<string, string> }, now = NOW) =>
        (await claimRun(catalog, worker, now, LEASE))?.id;
      assert.equal(await taken({ id: 'w', labels: { site: 'north' } }), urgent.id);
      assert.equal(await taken({ id: 'w', labels: { disk: 'ssd', site: 'north', more: 'x' } }), north.id);
      assert.equal(await taken(ANYONE), old.id);
      assert.equal(await taken(ANYONE), undefined);
      assert.equal(await taken(ANYONE, NOW + 1), later.id);
    });

    test('who lost a run to another claim can write nothing any more', async () => {
      await fresh();
      const { id } = await add(catalog);
      const paused = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
      assert.equal(await renewLease(catalog.db, paused, NOW + 10, LEASE), 'held');
      const [back] = await expireLeases(catalog, NOW + 10 + LEASE + 1);
      assert.deepEqual([back?.state, back?.attempt], ['queued', 2]);
      const refused = async () => [
        await renewLease(catalog.db, paused, NOW, LEASE),
        await finishRun(catalog.db, paused, { state: 'succeeded' }, NOW),
        await requeueRun(catalog.db, paused, { notBefore: NOW, reason: 'x' }, NOW),
        await reportRun(catalog.db, paused, { lines: [{ at: NOW, level: 'info', message: 'x' }], progress: {} }, NOW),
      ];
      assert.deepEqual(await refused(), ['lost', false, false, false]);
      const newer = (await claimRun(catalog, { id: 'worker-2', labels: {} }, NOW + 2 * LEASE, LEASE))!;
      assert.ok(newer.fence > paused.fence);
      const events = await types(catalog);
      assert.deepEqual(await refused(), ['lost', false, false, false]);
      assert.deepEqual(await types(catalog), events);
      assert.deepEqual(await readLog(catalog.db, id, { limit: 10 }), []);
      assert.equal(await finishRun(catalog.db, newer, { state: 'succeeded' }, NOW), true);
      assert.equal((await getRun(catalog.db, id))?.state, 'succeeded');
    });

    test('a run whose worker is lost ends when no attempt is left, or when it was to be cancelled', async () => {
      await fresh();
      const last = await add(catalog, { maxAttempts: 1 });
      const unwanted = await add(catalog);
      await claimRun(catalog, ANYONE, NOW, LEASE);
      await claimRun(catalog, ANYONE, NOW, LEASE);
      assert.equal(await cancelRun(catalog.db, unwanted.id, 'ana', NOW), 'requested');
      assert.deepEqual(await expireLeases(catalog, NOW + LEASE), []);
      await expireLeases(catalog, NOW + LEASE + 1);
      const failed = await getRun(catalog.db, last.id);
      assert.deepEqual([failed?.state, failed?.error?.code], ['failed', 'run_lost']);
      assert.equal((await getRun(catalog.db, unwanted.id))?.state, 'cancelled');
    });

    test('asking twice for the same gives the same run, also at once', async () => {
      await fresh();
      const asked = await Promise.all(
        Array.from({ length: 8 }, () => createRun(catalog.db, backup({ dedupe: 'clinic@3' }), NOW)),
      );
      assert.equal(new Set(asked.map(({ run }) => run.id)).size, 1);
      assert.equal(asked.filter(({ created }) => created).length, 1);
      assert.deepEqual(await types(catalog), ['run.created']);
    });

    test('what waits for a run is queued when it succeeded and skipped with a reason when it did not', async () => {
      await fresh();
      const good = await add(catalog);
      const after = await add(catalog, { kind: 'prove', afterRun: good.id });
      const bad = await add(catalog, { app: 'shop', priority: 1 });
      const lost = await add(catalog, { app: 'shop', kind: 'prove', afterRun: bad.id });
      const lostToo = await add(catalog, { app: 'shop', kind: 'check', afterRun: lost.id });
      assert.equal(after.state, 'waiting');
      const state = async ({ id }: Run) => (await getRun(catalog.db, id))?.state;
      const failing = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
      await finishRun(catalog.db, (await claimRun(catalog, ANYONE, NOW, LEASE))!, { state: 'partial' }, NOW);
      const error = { code: 'storages_failed', message: 'none', hint: 'look' };
      await finishRun(catalog.db, failing, { state: 'failed', error, outcome: { bytes: 0 } }, NOW);
      assert.deepEqual([await state(after), await state(lost), await state(lostToo)], ['queued', 'skipped', 'skipped']);
      assert.match((await getRun(catalog.db, lostToo.id))!.reason!, /ended as "skipped"/);
      assert.deepEqual((await getRun(catalog.db, bad.id))?.error, error);
      assert.equal((await add(catalog, { kind: 'prove', afterRun: good.id })).state, 'queued');
      assert.equal((await add(catalog, { kind: 'prove', afterRun: bad.id })).state, 'skipped');
      const told = await readEvents(catalog.db, 0, 100, { types: ['run.skipped'] });
      assert.equal(told.length, 3);
    });

    test('a run that waits and one that ends at the same moment: the one is queued or the other was seen to be over', async () => {
      await fresh();
      for (let round = 0; round < 10; round++) {
        await add(catalog);
        const first = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
        const [waiting] = await Promise.all([
          add(catalog, { kind: 'prove', afterRun: first.id }),
          finishRun(catalog.db, first, { state: 'succeeded' }, NOW),
        ]);
        const second = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
        assert.equal(second.id, waiting.id);
        await finishRun(catalog.db, second, { state: 'succeeded' }, NOW);
      }
    });

    test('a cancel ends what has not begun, is told to the worker of what has, and comes too late afterwards', async () => {
      await fresh();
      const queued = await add(catalog);
      const next = await add(catalog, { kind: 'prove', afterRun: queued.id });
      assert.equal(await cancelRun(catalog.db, queued.id, 'ana', NOW), 'cancelled');
      assert.equal((await getRun(catalog.db, next.id))?.state, 'skipped');
      await add(catalog);
      const running = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
      assert.equal(await cancelRun(catalog.db, running.id, 'ana', NOW), 'requested');
      assert.equal(await renewLease(catalog.db, running, NOW, LEASE), 'cancel');
      assert.equal(await requeueRun(catalog.db, running, { notBefore: NOW, reason: 'x' }, NOW), true);
      const ended = await getRun(catalog.db, running.id);
      assert.deepEqual([ended?.state, ended?.cancelledBy], ['cancelled', 'ana']);
      assert.equal(await cancelRun(catalog.db, running.id, 'ana', NOW), 'over');
      assert.equal(await cancelRun(catalog.db, newId(NOW), 'ana', NOW), 'unknown');
    });

    test('two people who cancel and a worker that ends the run at once: one end, told once', async () => {
      await fresh();
      for (let round = 0; round < 5; round++) {
        await add(catalog);
        const run = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
        const [ended, ...answers] = await Promise.all([
          finishRun(catalog.db, run, { state: 'succeeded' }, NOW),
          cancelRun(catalog.db, run.id, 'ana', NOW),
          cancelRun(catalog.db, run.id, 'ben', NOW),
        ]);
        assert.equal(ended, true);
        assert.ok(answers.every((answer) => answer === 'over' || answer === 'requested'));
        const told = await readEvents(catalog.db, 0, 1000, { runId: run.id, types: ['run.finished'] });
        assert.equal(told.length, 1);
      }
    });

    test('pages of runs go from the newest to the oldest without a gap, by any filter', async () => {
      await fresh();
      const all: Run[] = [];
      for (let n = 0; n < 25; n++) {
        const more = { app: n % 2 ? 'clinic' : 'shop', kind: n % 5 ? 'backup' : 'check', scheduleId: `s${n % 3}` };
        all.unshift(await add(catalog, more, NOW + n * 1000));
      }
      const pages = async (filter: object) => {
        const ids: string[] = [];
        let cursor: string | null = null;
        do {
          const page = await listRuns(catalog.db, { ...filter, limit: 4, ...(cursor === null ? {} : { cursor }) });
          ids.push(...page.runs.map(({ id }) => id));
          cursor = page.next;
        } while (cursor !== null);
        return ids;
      };
      const by = (keep: (run: Run) => boolean) => all.filter(keep).map(({ id }) => id);
      assert.deepEqual(
        await pages({}),
        by(() => true),
      );
      assert.deepEqual(
        await pages({ app: 'shop', kind: 'check' }),
        by(({ app, kind }) => app === 'shop' && kind === 'check'),
      );
      assert.deepEqual(
        await pages({ schedule: 's1', apps: ['clinic'] }),
        by((run) => run.scheduleId === 's1' && run.app === 'clinic'),
      );
      assert.deepEqual(
        await pages({ state: ['queued', 'failed'], since: NOW + 5000, until: NOW + 9000 }),
        by((run) => run.createdAt >= NOW + 5000 && run.createdAt < NOW + 9000),
      );
      assert.deepEqual(await pages({ state: 'failed' }), []);
      await assert.rejects(listRuns(catalog.db, { limit: 1, cursor: "' or 1=1" }), { code: 'usage' });
    });

    test('steps and lines are kept for each attempt, whatever characters they have', async () => {
      await fresh();
      const { id } = await add(catalog);
      const first = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
      const step = { seq: 1, step: 'dump', title: 'Database', state: 'running', startedAt: NOW } as const;
      const line = { at: NOW, level: 'info', message: 'zero \0 and half \ud83d', data: { a: 'b\0' } } as const;
      await reportRun(catalog.db, first, { steps: [step], lines: [line, line] }, NOW);
      await reportRun(catalog.db, first, { steps: [{ ...step, state: 'done', bytes: 5 }], progress: { done: 1 } }, NOW);
      await requeueRun(catalog.db, first, { notBefore: NOW, reason: 'again' }, NOW);
      const second = (await claimRun(catalog, ANYONE, NOW, LEASE))!;
      const many = Array.from({ length: 1200 }, (_, n) => ({ at: NOW, level: 'warning' as const, message: `${n}` }));
      await reportRun(catalog.db, second, { steps: [step], lines: many }, NOW);
      const steps = await readSteps(catalog.db, id);
      assert.deepEqual(
        steps.map(({ attempt, state }) => [attempt, state]),
        [
          [1, 'done'],
          [2, 'running'],
        ],
      );
      const lines = await readLog(catalog.db, id, { limit: 5, after: 1 });
      assert.deepEqual(lines.map(({ seq, attempt, message }) => [seq, attempt, message]).slice(1), [
        [3, 2, '0'],
        [4, 2, '1'],
        [5, 2, '2'],
        [6, 2, '3'],
      ]);
      assert.match(lines[0]!.message, /^zero \ufffd and half/);
      assert.equal((await readLog(catalog.db, id, { limit: 5000, levels: ['warning'] })).length, 1200);
    });

    test('events are numbered in the order of commits: who reads on misses none while many write', async () => {
      await fresh();
      const seen: number[] = [];
      let writing = true;
      const reader = (async () => {
        for (let after = 0; ; ) {
          const last = !writing;
          for (const { seq } of await readEvents(catalog.db, after, 1000)) {
            seen.push(seq);
            after = seq;
          }
          if (last) return;
          await systemClock.sleep(1);
        }
      })();
      await Promise.all(
        Array.from({ length: 100 }, (_, n) =>
          catalog.transaction(async (tx) => {
            await appendEvent(tx, { type: 'wal.state', data: { n } }, NOW);
            await getRun(tx, 'nothing'); // keeps the transaction open while others begin theirs
          }),
        ),
      );
      writing = false;
      await reader;
      const all = (await readEvents(catalog.db, 0, 1000)).map(({ seq }) => seq);
      assert.equal(all.length, 100);
      assert.deepEqual(seen, all);
      assert.equal(await newestEvent(catalog.db), all.at(-1));
      const version = await catalog.version();
      await appendEvent(catalog.db, { type: 'wal.state' }, NOW);
      assert.notEqual(await catalog.version(), version);
    });

    test('who watches gets what was, then what comes, also from another process; and stops when told to', async () => {
      await fresh();
      await using other = await openCatalog(where);
      await add(catalog);
      const stop = new AbortController();
      const got: string[] = [];
      let two = () => {};
      const haveTwo = new Promise<void>((resolve) => {
        two = resolve;
      });
      const filter = { types: ['run.created' as const] };
      const watching = (async () => {
        for await (const { type, app } of watchEvents(catalog, 0, stop.signal, systemClock, filter)) {
          got.push(`${type} ${app}`);
          if (got.length === 2) two();
        }
      })();
      await appendEvent(other.db, { type: 'wal.state' }, NOW);
      await add(other, { app: 'shop' });
      await haveTwo;
      stop.abort();
      await watching;
      assert.deepEqual(got, ['run.created clinic', 'run.created shop']);
    });

    test('a schedule is due when its time has come, evaluated once, and changed only from its newest version', async () => {
      await fresh();
      const schedule: NewSchedule = {
        app: 'clinic',
        kind: 'backup',
        name: 'nightly',
        params: { full: true },
        cron: '0 3 * * *',
        timezone: 'Europe/Madrid',
        jitterMs: 300_000,
        catchUp: true,
        blackout: [{ from: '08:00', to: '18:00', days: ['mon'] }],
        priority: 5,
        retries: 3,
        timeLimitMs: 7200_000,
        labels: { site: 'north' },
        enabled: true,
        origin: 'file',
      };
      const times = { evaluatedUntil: NOW, nextAt: NOW + 1000 };
      const added = await addSchedule(catalog.db, schedule, times, NOW);
      await addSchedule(catalog.db, { ...schedule, name: 'off', enabled: false }, times, NOW);
      assert.deepEqual(added, { ...schedule, ...times, id: added.id, version: 1, createdAt: NOW, updatedAt: NOW });
      assert.equal(await nextDue(catalog.db), NOW + 1000);
      assert.deepEqual(await dueSchedules(catalog.db, NOW + 999, 10), []);
      assert.deepEqual(await catalog.transaction((tx) => dueSchedules(tx, NOW + 1000, 10)), [added]);
      const later = { evaluatedUntil: NOW + 1000, nextAt: null, lastRun: 'r' };
      const both = await Promise.all([1, 2].map(() => noteEvaluated(catalog.db, added.id, NOW, later)));
      assert.deepEqual(both.sort(), [false, true]);
      assert.equal(await nextDue(catalog.db), undefined);
      const changed = await changeSchedule(catalog.db, added.id, 1, { ...schedule, name: 'daily' }, later, NOW + 1);
      assert.deepEqual([changed?.version, changed?.lastRun, changed?.createdAt], [2, 'r', NOW]);
      assert.equal(await changeSchedule(catalog.db, added.id, 1, schedule, later, NOW), undefined);
      assert.deepEqual(
        (await listSchedules(catalog.db, { app: 'clinic', enabled: true })).map(({ name }) => name),
        ['daily'],
      );
      await addSchedule(catalog.db, { ...schedule, name: 'a' }, times, NOW);
      const pages: string[][] = [];
      for (let cursor: string | null | undefined; cursor !== null; ) {
        const page = await pageOfSchedules(catalog.db, { app: 'clinic', ...given('cursor', cursor), limit: 2 });
        pages.push(page.schedules.map(({ name }) => name));
        cursor = page.next;
      }
      assert.deepEqual(pages, [['a', 'daily'], ['off']]);
      const off = await pageOfSchedules(catalog.db, { kind: schedule.kind, enabled: false, limit: 1 });
      assert.deepEqual([off.schedules.map(({ name }) => name), off.next], [['off'], null]);
      for (const cursor of ['?', '0'.repeat(26)])
        await assert.rejects(pageOfSchedules(catalog.db, { cursor, limit: 2 }), { code: 'usage' });
      assert.deepEqual(
        [await removeSchedule(catalog.db, added.id, NOW), await removeSchedule(catalog.db, added.id, NOW)],
        [true, false],
      );
      assert.equal((await types(catalog)).filter((type) => type === 'schedule.changed').length, 5);
    });

    test('workers join once, are told as lost when they fall silent, and leave in silence', async () => {
      await fresh();
      const worker = { id: 'a', name: 'north-1', labels: { site: 'north' }, role: 'worker', version: '1' } as const;
      await Promise.all([1, 2, 3].map(() => heartbeat(catalog.db, worker, NOW)));
      await heartbeat(catalog.db, worker, NOW + 10);
      await heartbeat(catalog.db, { ...worker, id: 'b' }, NOW + 50);
      assert.deepEqual(
        (await listWorkers(catalog.db)).map(({ seenAt }) => seenAt),
        [NOW + 10, NOW + 50],
      );
      assert.deepEqual(
        (await removeLostWorkers(catalog.db, NOW + 50, NOW + 60)).map(({ id }) => id),
        ['a'],
      );
      await removeWorker(catalog.db, 'b');
      assert.deepEqual(await listWorkers(catalog.db), []);
      assert.deepEqual(await types(catalog), ['worker.joined', 'worker.joined', 'worker.lost']);
    });

    test('a role has one holder; a new holder has a larger fence and the old one is refused', async () => {
      const many = await Promise.all(
        Array.from({ length: 10 }, (_, n) => takeLease(catalog.db, 'scheduler', `p${n}`, NOW, 1000)),
      );
      const [held, ...more] = many.filter((lease) => lease !== undefined);
      assert.deepEqual(more, []);
      assert.deepEqual(await takeLease(catalog.db, 'scheduler', held!.holder, NOW + 500, 1000), held);
      assert.equal(await takeLease(catalog.db, 'scheduler', 'other', NOW + 1500, 1000), undefined);
      const taken = await takeLease(catalog.db, 'scheduler', 'other', NOW + 1501, 1000);
      assert.equal(taken?.fence, held!.fence + 1);
      assert.equal(await takeLease(catalog.db, 'scheduler', held!.holder, NOW + 1600, 1000), undefined);
      const holds = (lease: typeof held) => catalog.transaction((tx) => holdsLease(tx, lease!));
      assert.deepEqual([await holds(held), await holds(taken)], [false, true]);
      await dropLease(catalog.db, held!);
      assert.equal(await holds(taken), true);
      await dropLease(catalog.db, taken!);
      assert.equal((await takeLease(catalog.db, 'scheduler', 'third', NOW + 1600, 1000))?.fence, taken!.fence + 1);
    });

    test('points follow what the storages say, keep what only the run knew, and come in pages', async () => {
      await fresh();
      const point = (n: number, more: Partial<CatalogPoint> = {}): CatalogPoint => ({
        id: n.toString(16).padStart(64, '0'),
        app: 'clinic',
        time: NOW + Math.trunc(n / 2),
        bytes: 5_000_000_000 + n,
        proof: 'stored',
        pinned: false,
        sources: ['db'],
        storages: ['local', 's3'],
        ...more,
      });
      await savePoint(catalog.db, point(1, { bytesStored: 77, runId: 'r', label: 'v1\0' }), NOW);
      const nine = Array.from({ length: 9 }, (_, n) => point(n + 1, n === 0 ? { label: 'v1\ufffd' } : {}));
      assert.deepEqual(await replacePoints(catalog.db, 'clinic', nine, NOW), { added: 8, changed: 0, removed: 0 });
      const pinned = nine.slice(1).map((each) => (each.id.endsWith('5') ? { ...each, pinned: true } : each));
      assert.deepEqual(await replacePoints(catalog.db, 'clinic', pinned, NOW + 5), {
        added: 0,
        changed: 1,
        removed: 1,
      });
      await replacePoints(catalog.db, 'clinic', [nine[0]!, ...pinned], NOW);
      await savePoint(catalog.db, { ...nine[0]!, bytesStored: 77, runId: 'r' }, NOW);
      await replacePoints(catalog.db, 'clinic', [{ ...nine[0]!, proof: 'read' }, ...pinned], NOW + 6);
      const kept = await getPoint(catalog.db, nine[0]!.id);
      assert.deepEqual([kept?.bytesStored, kept?.runId, kept?.proof, kept?.seenAt], [77, 'r', 'read', NOW + 6]);
      await savePoint(catalog.db, point(20, { app: 'shop', time: NOW + 2 }), NOW);
      const ids: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await listPoints(catalog.db, { limit: 2, app: 'clinic', ...(cursor === null ? {} : { cursor }) });
        ids.push(...page.points.map(({ id }) => id));
        cursor = page.next;
      } while (cursor !== null);
      assert.deepEqual(ids, nine.map(({ id }) => id).reverse());
      assert.equal((await listPoints(catalog.db, { limit: 9, pinned: true })).points[0]?.id, point(5).id);
      await assert.rejects(listPoints(catalog.db, { limit: 9, cursor: '1.x' }), { code: 'usage' });
      const told = await types(catalog);
      assert.deepEqual(
        [told.filter((type) => type === 'point.added').length, told.filter((type) => type === 'point.removed').length],
        [11, 1],
      );
    });

    test('figures are kept as a series, the newest of each storage at hand', async () => {
      for (let hour = 0; hour < 5; hour++) {
        const used = [
          { name: 'used_bytes', storage: 'local', value: hour * 1e12 },
          { name: 'used_bytes', storage: 's3', value: 0.5 + hour },
          { name: 'bad', value: Number.NaN },
        ];
        await measure(catalog.db, used, NOW + hour);
      }
      await measure(catalog.db, [{ name: 'used_bytes', storage: 's3', value: 9 }], NOW + 4);
      const series = await readSeries(catalog.db, { name: 'used_bytes', storage: 's3', since: NOW + 1, limit: 3 });
      assert.deepEqual(
        series.map(({ value }) => value),
        [2.5, 3.5, 9],
      );
      assert.deepEqual(
        (await latest(catalog.db, 'used_bytes')).map(({ storage, value }) => [storage, value]),
        [
          ['local', 4e12],
          ['s3', 9],
        ],
      );
      assert.deepEqual(await latest(catalog.db, 'bad'), []);
    });

    test('the ledger gives what was never read first, then what was read longest ago', async () => {
      const object = (n: number) => ({ object: `data/${n}`, bytes: 3_000_000_000 });
      await notePresent(catalog.db, 'local', [1, 2, 3].map(object));
      await noteRead(catalog.db, 'local', [{ ...object(1), good: true }], NOW);
      await noteRead(catalog.db, 'local', [{ ...object(2), good: false }], NOW - 5);
      const turns = async () => (await longestUnread(catalog.db, 'local', 10)).map((each) => each.object);
      assert.deepEqual(await turns(), ['data/3', 'data/2', 'data/1']);
      assert.deepEqual(await summarise(catalog.db, 'local'), {
        objects: 3,
        bytes: 9_000_000_000,
        bad: 1,
        neverRead: 1,
        oldest: 0,
      });
      await notePresent(catalog.db, 'local', [1, 4].map(object));
      assert.deepEqual(await turns(), ['data/4', 'data/1']);
      assert.deepEqual(await summarise(catalog.db, 'empty'), {
        objects: 0,
        bytes: 0,
        bad: 0,
        neverRead: 0,
        oldest: undefined,
      });
    });
  });
}
