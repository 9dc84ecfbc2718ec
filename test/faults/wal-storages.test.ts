/** Storages and disks that fail while WAL flows: nobody waits for the dead, nothing is acknowledged before its time, nothing is lost. */
import assert from 'node:assert/strict';
import { appendFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { systemClock } from '../../src/base/clock.ts';
import type { PostgresSourceSettings } from '../../src/config/settings.ts';
import { walStatus } from '../../src/operations/wal-status.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { Repository } from '../../src/repository/repository.ts';
import { listSnapshots } from '../../src/repository/snapshots.ts';
import type { ObjectStore } from '../../src/storage/object-store.ts';
import { type FaultStore, faultStore } from '../../src/storage/testing/fault-store.ts';
import { parsePieceKey } from '../../src/wal/piece.ts';
import { readStreamState, type StreamState } from '../../src/wal/stream-state.ts';
import { postgresSource } from '../integration/fixtures/backup-run.ts';
import { openSession } from '../support/care.ts';
import { MAJORS, onEachMajor } from '../support/postgres/each-major.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { run } from '../support/run.ts';
import { type TempDir, tempDir } from '../support/temp.ts';
import { until } from '../support/until.ts';
import {
  archived,
  archivedXids,
  assertSameAsServer,
  MIB,
  serverEnd,
  type TestStream,
  type WalPlace,
  walPlace,
} from '../support/wal-stream.ts';
import { commandOf, startWhole } from '../support/whole-stream.ts';

/** What does not depend on the version is tested on one. */
const [oldest = 15, newest = 18] = [MAJORS[0], MAJORS.at(-1)];
const TABLE = 'CREATE TABLE t (id int, body text)';
const WORK = `INSERT INTO t SELECT g, repeat(md5(g::text), 4) FROM generate_series(1, 3000) g`;
const SLOT = 'holdfast_clinic_database';

interface World extends AsyncDisposable {
  readonly server: TestServer;
  readonly place: WalPlace;
  readonly faults: readonly FaultStore[];
}

/** A server with small segments, and storages that fail on demand. */
async function world(major: number, storages = 2, settings: Readonly<Record<string, string>> = {}): Promise<World> {
  const server = await startPostgres({ major, walSegmentMiB: 1, settings });
  const faults: FaultStore[] = [];
  const wrap = (store: ObjectStore) => {
    const faulty = faultStore(store);
    faults.push(faulty);
    return faulty;
  };
  const place = await walPlace({ storages, wrap });
  await server.sql(`SET synchronous_commit = local; ${TABLE}`);
  const dispose = async () => {
    await server.stop('immediate');
    await place[Symbol.asyncDispose]();
  };
  return { server, place, faults, [Symbol.asyncDispose]: dispose };
}

const isStreaming = ({ status }: { status: string }) => status === 'streaming';

async function wholeEverywhere({ place, server }: World, stream: TestStream): Promise<void> {
  const { systemIdentifier, gaps } = await stream.stop();
  assert.equal(gaps, 0);
  for (const mask of place.repository.replicas.map(({ bit }) => bit)) {
    const held = await archived(place.repository, systemIdentifier, mask);
    assert.equal(held.spans.length, 1, 'no hole');
    await assertSameAsServer(held, server.dataDir);
  }
}

onEachMajor('storages that fail in turn get everything in the end; the others never wait', async (major) => {
  await using it = await world(major, 3);
  const { server, place, faults } = it;
  await using stream = place.start(server.url(), { requiredCopies: 2 });
  await stream.until('it streams', isStreaming);
  for (const [i, kind] of (['fail', 'hang', 'loseReply'] as const).entries()) {
    const rule = faults[i]!.inject({ on: 'put', key: /^wal\//, fault: { kind } });
    for (let n = 0; n < 3; n++) await server.sql(WORK);
    const end = await serverEnd(server);
    await stream.until('the others have it', ({ storages }) =>
      Object.entries(storages).every(([name, { stored }]) => name === 'abc'[i] || parseLsn(stored ?? '0/0') >= end),
    );
    rule.remove();
    if (kind === 'hang') {
      // What hangs is ended by the deadline of its driver; here by stopping, and the next stream goes on.
      await stream.stop();
      break;
    }
  }
  await using next = place.start(server.url(), { requiredCopies: 2 });
  await server.sql(WORK);
  await next.stored(await serverEnd(server));
  await wholeEverywhere(it, next);
});

test('a dead storage is named once; WAL leaves the spool without it, and comes from the others when it is back', async () => {
  await using it = await world(oldest, 2);
  const { server, place, faults } = it;
  await using stream = place.start(server.url(), { requiredCopies: 1 });
  await stream.until('it streams', isStreaming);
  const dead = faults[1]!.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
  for (let n = 0; n < 6; n++) await server.sql(WORK);
  await stream.stored(await serverEnd(server));
  await stream.until('the spool is nearly empty', ({ spoolBytes }) => spoolBytes < 2 * MIB);
  const warnings = stream.events.filter((event) => event.type === 'warning' && event.storage === 'b');
  assert.equal(warnings.length, 1);
  dead.remove();
  await stream.until('it has everything', ({ storages }) => storages.b?.error === null && storages.b.pending === 0);
  const { systemIdentifier } = await stream.stop();
  const { inventory, spans } = await archived(place.repository, systemIdentifier, 2);
  assert.equal(spans.length, 1);
  const whole = inventory.pieces.filter(({ piece }) => piece.end % BigInt(MIB) === 0n);
  assert.ok(
    whole.every(({ mask }) => mask === 3),
    'both hold the same objects',
  );
});

onEachMajor(
  'while too few storages take WAL it stays in the spool; at its limit receiving pauses, and goes on without a hole',
  async (major) => {
    await using it = await world(major, 2);
    const { server, place, faults } = it;
    const spool = { directory: place.spool, limit: 3 * MIB };
    await using stream = place.start(server.url(), { requiredCopies: 2, spool });
    await stream.until('it streams', isStreaming);
    faults[1]!.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
    for (let n = 0; n < 12; n++) await server.sql(WORK);
    const { spoolBytes } = await stream.until('it is paused', ({ status }) => status === 'paused');
    assert.ok(spoolBytes < 5 * MIB);
    faults[1]!.recover();
    await stream.stored(await serverEnd(server));
    await wholeEverywhere(it, stream);
  },
);

onEachMajor(
  'where storages acknowledge, a commit that waits for us is in as many storages when it returns, and waits while they fail',
  async (major) => {
    await using it = await world(major, 2, { synchronous_standby_names: SLOT });
    const { server, place, faults } = it;
    await using stream = place.start(server.url(), { acknowledge: 2, flushEvery: 60_000, requiredCopies: 2 });
    await stream.until('it streams', isStreaming);
    const identifier = (await stream.state())?.systemIdentifier ?? '';
    for (let n = 0; n < 5; n++) {
      const [row] = await server.sql(`INSERT INTO t VALUES (${n}, 'x') RETURNING xmin::text AS xid`);
      for (const mask of [1, 2])
        assert.ok((await archivedXids(place.repository, identifier, mask)).has(Number(row?.xid)), `${n} in ${mask}`);
    }
    const dead = faults[0]!.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
    let returned = false;
    const commit = server.sql(`INSERT INTO t VALUES (9, 'x')`).then(() => {
      returned = true;
    });
    await stream.until('the storage fails', ({ storages }) => storages.a?.error !== null);
    assert.equal(returned, false);
    dead.remove();
    await commit;
    await wholeEverywhere(it, stream);
  },
);

test('a commit is in the storages when flushEvery says, and the lag is printed', async (t) => {
  await using it = await world(newest, 2);
  const { server, place } = it;
  const lags: number[] = [];
  let from = 0n;
  const measured = (store: ObjectStore): ObjectStore => ({
    ...store,
    put: async (key, parts, options) => {
      await store.put(key, parts, options);
      const { firstCommit, start = 0n } = parsePieceKey(key) ?? {};
      // A whole segment holds commits that its slices brought before.
      if (firstCommit !== undefined && start > from && start % BigInt(MIB) !== 0n)
        lags.push(systemClock.now() - Number(firstCommit / 1000n));
    },
  });
  const replicas = place.repository.replicas.map((replica) => ({ ...replica, store: measured(replica.store) }));
  const repository = new Repository({ ...place.repository, replicas });
  for (const flushEvery of [500, 2_000]) {
    lags.length = 0;
    await using stream = place.start(server.url(), { repository, flushEvery });
    await stream.until('it streams', isStreaming);
    from = await serverEnd(server);
    for (let n = 0; n < 40 || lags.length === 0; n++) {
      await server.sql(`INSERT INTO t VALUES (${n}, 'x')`);
      await systemClock.sleep(50);
    }
    await stream.stored(await serverEnd(server));
    await stream.stop();
    lags.sort((a, b) => a - b);
    const at = (part: number) => lags[Math.floor((lags.length - 1) * part)];
    t.diagnostic(
      `flushEvery ${flushEvery} ms: oldest commit of a slice stored after ${at(0.5)} ms (median), ${at(1)} ms (worst)`,
    );
  }
});

onEachMajor('a server may shut down although the storages that acknowledge are dead', async (major) => {
  await using it = await world(major, 2, { wal_sender_timeout: '10min' });
  const { server, place, faults } = it;
  await using stream = place.start(server.url(), { acknowledge: 2 });
  await stream.until('it streams', isStreaming);
  for (const store of faults) store.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
  await server.sql(WORK);
  await server.instance.stop('fast');
  await using again = await startPostgres({ major, dataDir: server.dataDir });
  const [row] = await again.sql('SELECT count(*)::int AS n FROM t');
  assert.equal(row?.n, 3000);
  assert.match(await log(again), /database system was shut down/);
});

onEachMajor(
  'the slot is given up before it fills the disk of the server, loudly and on record, and a base backup follows by itself',
  async (major) => {
    await using it = await world(major, 1, { min_wal_size: '2MB', max_wal_size: '2MB' });
    const { server, place, faults } = it;
    const program = await commandOf(place, server);
    const limits = { spoolLimit: MIB, slotLimit: 6 * MIB, slotCheckMs: 200 }; // more than the spool takes
    const stream = await startWhole(place, server, { program, ...limits });
    const said = (pattern: RegExp) => until(() => stream.said.some((message) => pattern.test(message)));
    const state = (test: (state: StreamState) => boolean) =>
      until(async () => {
        const now = await readStreamState(place.spool);
        return now !== undefined && test(now);
      });
    try {
      await state(isStreaming);
      faults[0]!.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
      await server.sql(WORK.replace('3000', '72000'));
      await said(/was given up/);
      assert.deepEqual(await server.sql('SELECT slot_name FROM pg_replication_slots'), []);
      await server.sql('CHECKPOINT');
      faults[0]!.recover();
      await state(({ gaps }) => gaps === 1);
      await said(/Restore point \w+ was made/);
      assert.ok(stream.said.some((message) => /makes the server keep/.test(message)));
    } finally {
      await stream.end();
    }
    const session = await openSession(place.stores);
    const { snapshots } = await listSnapshots(session.repository);
    const source = postgresSource(server.url()) as PostgresSourceSettings;
    const { sources } = await walStatus(session, { app: 'clinic', sources: [source], points: snapshots });
    assert.deepEqual(
      sources[0]?.gaps.map(({ reason, next_point }) => [reason, next_point]),
      [['slot_given_up', snapshots[0]?.id]],
    );
  },
);

test('one process streams into a spool; a torn end is cut off, and what was received before is stored', async () => {
  await using it = await world(oldest, 1);
  const { server, place } = it;
  await using stream = place.start(server.url());
  await stream.until('it streams', isStreaming);
  await assert.rejects(place.start(server.url()).outcome, { code: 'locked' });
  await server.sql(WORK);
  await stream.stored(await serverEnd(server));
  await stream.stop();
  const [last = ''] = (await readdir(join(place.spool, 'wal'))).sort().reverse();
  await appendFile(join(place.spool, 'wal', last), Buffer.alloc(5000, 0xab));
  await using next = place.start(server.url());
  await server.sql(WORK);
  await next.stored(await serverEnd(server));
  await wholeEverywhere(it, next);
});

const mountable =
  (await run('sh', ['-c', 'd=$(mktemp -d) && mount -t tmpfs none $d && umount $d; r=$?; rmdir $d; exit $r'])).code ===
  0;

describe('a spool on a disk of four mebibytes', {
  skip: mountable ? false : 'needs the right to mount a file system',
}, () => {
  let dir: TempDir;
  beforeEach(async () => {
    dir = await tempDir();
    await run('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'none', dir.path]);
  });
  afterEach(async () => {
    await run('umount', [dir.path]);
    await dir.remove();
  });

  onEachMajor('when it is full, receiving pauses; when there is room it goes on without a hole', async (major) => {
    await using it = await world(major, 1);
    const { server, place, faults } = it;
    const spool = { directory: dir.path, limit: 100 * MIB };
    await using stream = place.start(server.url(), { spool });
    await stream.until('it streams', isStreaming);
    faults[0]!.inject({ on: 'put', key: /^wal\//, fault: { kind: 'fail' } });
    for (let n = 0; n < 12; n++) await server.sql(WORK);
    await untilSaid(stream, /disk of the spool is full/);
    faults[0]!.recover();
    await server.sql(WORK);
    await untilSaid(stream, /There is room again/);
    await stream.stored(await serverEnd(server));
    await wholeEverywhere(it, stream);
  });
});

async function untilSaid(stream: TestStream, pattern: RegExp): Promise<void> {
  for (let i = 0; i < 3600; i++) {
    if (pattern.test(stream.said())) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never said ${pattern}\n${stream.said()}`);
}

async function log({ instance }: TestServer): Promise<string> {
  return instance.log();
}
