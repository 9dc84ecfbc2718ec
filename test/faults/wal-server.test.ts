/** What servers do to a WAL stream: they stop, crash, vanish, are promoted, restored, replaced, and lose slots. Nothing is lost in silence. */
import assert from 'node:assert/strict';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Clock, systemClock } from '../../src/base/clock.ts';
import { giveTo, serverAccount } from '../../src/postgres/account.ts';
import { formatLsn, parseLsn } from '../../src/postgres/lsn.ts';
import { readGaps } from '../../src/wal/gaps.ts';
import { readStreamState } from '../../src/wal/stream-state.ts';
import { holdfastOk } from '../support/holdfast.ts';
import { MAJORS, onEachMajor } from '../support/postgres/each-major.ts';
import { startFront } from '../support/postgres/front.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { startStandby } from '../support/postgres/standby.ts';
import { tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import { archived, assertSameAsServer, MIB, serverEnd, walPlace } from '../support/wal-stream.ts';
import { commandOf, startWhole } from '../support/whole-stream.ts';

const newest = MAJORS.at(-1) ?? 18;
const SLOT = 'holdfast_clinic_database';

const WORK = `INSERT INTO t SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 3000) g`;
const TABLE = 'CREATE TABLE t (id int, body text)';
const streaming = { test: ({ status }: { status: string }) => status === 'streaming' };

onEachMajor(
  'it may shut down while we stream, all of its log is stored, and the next start is followed without a hole',
  async (major) => {
    // Without a limit of its own the server would wait for a standby that keeps it waiting until it is killed.
    const settings = { wal_sender_timeout: '10min' };
    await using server = await startPostgres({ major, settings });
    await using front = await startFront(server);
    await using place = await walPlace();
    await server.sql(TABLE);
    await using stream = place.start(front.url);
    await stream.until('it streams', streaming.test);
    await server.sql(WORK);
    await server.instance.stop('fast');
    assert.equal(server.instance.running, false);
    await using again = await startPostgres({ major, dataDir: server.dataDir, settings });
    front.to(again);
    await again.sql(WORK);
    await stream.stored(await serverEnd(again));
    const { systemIdentifier, gaps } = await stream.stop();
    const held = await archived(place.repository, systemIdentifier);
    assert.deepEqual([held.spans.length, gaps], [1, 0]);
    assert.ok((await assertSameAsServer(held, server.dataDir)) > MIB / 2);
  },
);

onEachMajor(
  'a promotion while streaming, and another while away, are followed, with the history of every ancestor',
  async (major) => {
    await using primary = await startPostgres({ major });
    await primary.sql(TABLE);
    await using second = await startStandby(primary);
    await using front = await startFront(second);
    await using place = await walPlace();
    const stream = place.start(front.url);
    await stream.until('it streams', streaming.test);
    await primary.sql(WORK);
    await stream.until('the rows come through the standby', ({ received }) => received !== null && received > '0/3');
    await second.sql('SELECT pg_promote(true)');
    await stream.until('it follows', ({ timeline }) => timeline === 2);
    await using third = await startStandby(second);
    await second.sql(WORK);
    await stream.stored(await serverEnd(second));
    await stream.stop();
    await second.sql(WORK);
    await caughtUp(second, third);
    await third.sql('SELECT pg_promote(true)');
    await third.sql(WORK);
    front.to(third);
    await using next = place.start(front.url);
    await next.until('it follows', ({ timeline }) => timeline === 3);
    await next.stored(await serverEnd(third));
    const { systemIdentifier, gaps } = await next.stop();
    assert.equal(gaps, 0);
    const held = await archived(place.repository, systemIdentifier);
    assert.deepEqual(
      held.spans.map(({ timeline }) => timeline),
      [1, 2, 3],
    );
    assert.deepEqual([...(await held.archive.histories(held.inventory)).keys()].sort(), [2, 3]);
    for (const server of [second, third]) await assertSameAsServer(held, server.dataDir);

    // The node from before the failover is still there.
    front.to(second);
    await assert.rejects(place.start(front.url).outcome, { code: 'wal_diverged' });
  },
);

test('a failover to a node that never had the log in between: the gap ends where that node begins, and its timeline is followed', async () => {
  await using primary = await startPostgres({ major: newest });
  await using place = await walPlace();
  await primary.sql(TABLE);
  await session(place, primary);
  await primary.sql(`${WORK}; SELECT pg_switch_wal(); ${WORK}; SELECT pg_switch_wal(); ${WORK}`);
  await using standby = await startStandby(primary);
  await primary.sql(WORK);
  await caughtUp(primary, standby);
  await standby.sql('SELECT pg_promote(true)');
  const { gaps, systemIdentifier } = await session(place, standby, /WAL is lost/);
  assert.equal(gaps, 1);
  const held = await archived(place.repository, systemIdentifier);
  assert.deepEqual(
    held.spans.map(({ timeline }) => timeline),
    [1, 1, 2],
  );
  await assertSameAsServer(held, standby.dataDir);
});

onEachMajor('another cluster is refused; the spool stays with its own', async (major) => {
  await using ours = await startPostgres({ major });
  await using other = await startPostgres({ major });
  await using place = await walPlace();
  await using stream = place.start(ours.url());
  await stream.until('it streams', streaming.test);
  await stream.stop();
  await assert.rejects(place.start(other.url()).outcome, (error: Error & { code: string; hint: string }) => {
    assert.equal(error.code, 'wal_foreign');
    assert.match(error.hint, /wal\.spool/);
    return true;
  });
});

onEachMajor(
  'a copy of the past that was started goes no further: its log is not the continuation of what was received',
  async (major) => {
    await using server = await startPostgres({ major });
    await using dir = await tempDir({ open: true });
    await using place = await walPlace();
    await server.sql(TABLE);
    await server.instance.stop('fast');
    await cp(server.dataDir, dir.join('copy'), { recursive: true });
    await using again = await startPostgres({ major, dataDir: server.dataDir });
    await using stream = place.start(again.url());
    await stream.until('it streams', streaming.test);
    await again.sql(WORK);
    await stream.stored(await serverEnd(again));
    await stream.stop();
    const account = serverAccount();
    if (account) await giveTo(account, dir.join('copy'));
    await using copy = await startPostgres({ major, dataDir: dir.join('copy') });
    await copy.sql(`${TABLE.replace('t (', 'other (')}; ${WORK}`);
    await assert.rejects(place.start(copy.url()).outcome, { code: 'wal_diverged' });
  },
);

onEachMajor(
  'a primary that comes back as a standby of another server is followed, and told to have been demoted',
  async (major) => {
    await using server = await startPostgres({ major });
    await using front = await startFront(server);
    await using place = await walPlace();
    await using stream = place.start(front.url, { slotCheckMs: 100 });
    await stream.until('it is level with a primary', ({ level }) => level !== null);
    await server.instance.stop('fast');
    await writeFile(join(server.dataDir, 'standby.signal'), '');
    await using standby = await startPostgres({ major, dataDir: server.dataDir });
    front.to(standby);
    await stream.until('it is told', () => /it was demoted/.test(stream.said()));
    assert.equal((await stream.stop()).gaps, 0);
  },
);

/** A quarter of an hour, in ms. */
const LONG = 900_000;

/** A clock that does not wait between two tries to connect; `pauses`: how long it was asked to, in ms. */
function hastyClock() {
  const pauses: number[] = [];
  const sleep: Clock['sleep'] = (ms, signal) => {
    if (ms < 250 || ms > 5_000) return systemClock.sleep(ms, signal); // of something else
    pauses.push(ms);
    return systemClock.sleep(1, signal);
  };
  const waited = () => pauses.reduce((sum, ms) => sum + ms, 0);
  return { pauses, waited, clock: { ...systemClock, sleep } };
}

onEachMajor(
  'a server out of reach, cut off or silent, is found again and nothing is missing, also after a long time',
  async (major) => {
    const { pauses, waited, clock } = hastyClock();
    await using server = await startPostgres({ major });
    await using front = await startFront(server);
    await using place = await walPlace();
    await server.sql(TABLE);
    await using stream = place.start(front.url, { clock });
    await stream.until('it streams', streaming.test);
    const back = async () => {
      front.to(server);
      await server.sql(WORK);
      await stream.stored(await serverEnd(server));
    };
    assert.deepEqual(pauses, []);
    front.to(undefined);
    await server.sql(WORK);
    await stream.until('it was away for long', () => waited() > LONG);
    assert.deepEqual(pauses.slice(0, 6), [250, 500, 1_000, 2_000, 4_000, 5_000]);
    assert.ok(
      pauses.slice(6).every((ms) => ms === 5_000),
      'it goes on trying, every few seconds',
    );
    await back();

    const before = pauses.length;
    front.freeze();
    await server.sql(WORK);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await back();
    assert.ok(pauses.length === before || pauses[before] === 250, 'from the beginning');
    const { systemIdentifier } = await stream.stop();
    const held = await archived(place.repository, systemIdentifier);
    assert.equal(held.spans.length, 1);
    await assertSameAsServer(held, server.dataDir);
  },
);

test('without the spool the stream goes on where the storages end, and compares', async () => {
  await using server = await startPostgres({ major: newest });
  await using place = await walPlace();
  await server.sql(TABLE);
  for (let i = 0; i < 3; i++) {
    await using stream = place.start(server.url());
    await stream.until('it streams', streaming.test);
    await server.sql(WORK);
    await stream.stored(await serverEnd(server));
    const { systemIdentifier } = await stream.stop();
    assert.equal((await archived(place.repository, systemIdentifier)).spans.length, 1);
    await rm(place.spool, { recursive: true });
  }
});

onEachMajor(
  'a slot that was dropped is made again: what the server still has is no gap, what it removed is one on record, and a base backup follows by itself',
  async (major) => {
    await using server = await startPostgres({ major, walSegmentMiB: 1, settings: SMALL });
    await using place = await walPlace();
    await server.sql(TABLE);
    const first = await session(place, server);
    await server.sql(`SELECT pg_drop_replication_slot('${SLOT}'); ${WORK}`);
    assert.equal((await session(place, server)).gaps, 0);
    await server.sql(`SELECT pg_drop_replication_slot('${SLOT}')`);
    await removeLog(server);
    // the whole way with a base backup and a restore on one; the slot that is given up has one made on each
    const goesOn = major === newest ? sessionWithBase : session;
    const { gaps, systemIdentifier } = await goesOn(place, server);
    assert.equal(gaps, 1);
    const [gap, ...more] = await readGaps(place.repository, systemIdentifier);
    assert.deepEqual([gap?.reason, more], ['slot_missing', []]);
    const held = await archived(place.repository, systemIdentifier);
    assert.deepEqual([held.spans[0]?.end, held.spans[1]?.start], [gap?.start, gap?.end]);
    assert.ok((gap?.start ?? 0n) >= first.received);
  },
);

onEachMajor(
  'a slot that the server invalidated (max_slot_wal_keep_size) is made again, and the gap is on record',
  async (major) => {
    await using server = await startPostgres({
      major,
      walSegmentMiB: 1,
      settings: { ...SMALL, max_slot_wal_keep_size: '2MB' },
    });
    await using place = await walPlace();
    await server.sql(TABLE);
    await session(place, server);
    await removeLog(server);
    const [slot] = await server.sql('SELECT wal_status FROM pg_replication_slots');
    assert.equal(slot?.wal_status, 'lost');
    const { gaps, systemIdentifier } = await session(place, server, /invalidated[\s\S]*WAL is lost/);
    assert.equal(gaps, 1);
    assert.equal((await readGaps(place.repository, systemIdentifier))[0]?.reason, 'slot_lost');
  },
);

const SMALL = { min_wal_size: '2MB', max_wal_size: '2MB', wal_keep_size: '0' };

async function session(place: Awaited<ReturnType<typeof walPlace>>, server: TestServer, says = /./) {
  await using stream = place.start(server.url());
  await stream.until('it streams', streaming.test);
  await server.sql(WORK);
  await stream.stored(await serverEnd(server));
  const outcome = await stream.stop();
  assert.match(stream.said(), says);
  return outcome;
}

/**
 * Sessions of the whole stream, in which nobody runs a backup: the first sees the gap and leaves the point to the person, as its settings ask. In
 * the second one point is made, of all sources, as soon as nobody holds the storages, and a commit after it can be restored, the files with
 * it. The third finds the point and makes no other.
 */
async function sessionWithBase(place: Awaited<ReturnType<typeof walPlace>>, server: TestServer) {
  await using out = await tempDir({ open: true });
  await mkdir(out.join('media'));
  await writeFile(out.join('media', 'scan'), 'a scan');
  const command = await commandOf(place, server, { media: { type: 'files', path: out.join('media') } });
  const begin = (baseAfterGap = true) => startWhole(place, server, { program: command, baseAfterGap });
  const points = async () => (await holdfastOk([...command.slice(1), '--json', 'points'])).document<unknown[]>();

  // left to the person: nothing looks for gaps
  const plain = await begin(false);
  await until(async () =>
    plain.said.some((message) => /WAL is lost.*baseAfterGap: false" run "holdfast backup" now/.test(message)),
  );
  await until(async () => (await readStreamState(place.spool))?.status === 'streaming');
  const ended = await plain.end();
  assert.deepEqual([plain.looks(), await points()], [0, []]);

  const exclusive = await place.repository.lock(true);
  const stream = await begin();
  await until(async () => stream.said.some((message) => /No base backup was made.*locked/.test(message)));
  await exclusive.release();
  await until(async () => stream.said.some((message) => /Restore point \w+ was made/.test(message)));
  await server.sql("INSERT INTO t VALUES (-1, 'after the gap')");
  const end = await serverEnd(server);
  await until(async () => parseLsn((await readStreamState(place.spool))?.storages.a?.stored ?? '0/0') >= end);
  await stream.end();

  const again = await begin();
  await until(async () => (await readStreamState(place.spool))?.status === 'streaming');
  const looks = again.looks();
  await until(async () => again.looks() > looks + 2);
  await again.end();
  assert.equal((await points()).length, 1, `${stream.said.join('\n')}\n${again.said.join('\n')}`);

  const target = out.join('restored');
  await holdfastOk([...command.slice(1), 'restore', '--at', 'latest', '--to', target]);
  assert.equal(await readFile(join(target, 'media', 'scan'), 'utf8'), 'a scan');
  await using restored = await startPostgres({ major: server.major, dataDir: join(target, 'database') });
  const [row] = await restored.sql("SELECT count(*)::int AS n FROM t WHERE body = 'after the gap'");
  assert.equal(row?.n, 1);
  return ended;
}

/** Writes so much that the server recycles what no slot keeps. */
async function removeLog(server: TestServer): Promise<void> {
  for (let i = 0; i < 6; i++) await server.sql(`${WORK}; SELECT pg_switch_wal(); CHECKPOINT`);
  await server.sql('CHECKPOINT');
}

async function caughtUp(primary: TestServer, standby: TestServer): Promise<void> {
  const end = await serverEnd(primary);
  await until(async () => {
    const [row] = await standby.sql(`SELECT pg_last_wal_replay_lsn() >= '${formatLsn(end)}' AS done`);
    return row?.done === true;
  });
}
