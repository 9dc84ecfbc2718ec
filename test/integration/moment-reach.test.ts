/** Which moments are out of reach, and what is said of them: holes, missing log, idle servers; and clusters with small segments. */
import assert from 'node:assert/strict';
import { chmod, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { formatMicroseconds } from '../../src/base/relative-time.ts';
import type { PostgresSourceSettings } from '../../src/config/settings.ts';
import { statusProblems } from '../../src/operations/status/problems.ts';
import { walStatus } from '../../src/operations/wal-status.ts';
import { formatLsn, segmentStart } from '../../src/postgres/lsn.ts';
import { listSnapshots, type StoredSnapshot, timeOf } from '../../src/repository/snapshots.ts';
import { recordGap } from '../../src/wal/gaps.ts';
import { MAJORS, onEachMajor } from '../support/postgres/each-major.ts';
import { commitRows, currentLsn, KNOWING, systemIdentifier } from '../support/postgres/moments.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { postgresSource } from './fixtures/backup-run.ts';
import { momentWorld } from './fixtures/moment-world.ts';

/** What does not depend on the version is tested on one after the other. */
const inTurn = (turn: number) => MAJORS[turn % MAJORS.length]!;
const PROVEN = { id: 'p', outcome: 'passed' };
const SEGMENT = 1024 * 1024;

onEachMajor(
  'a moment inside a gap is refused with the reason, the last commit before it and the point after it',
  async (major) => {
    await using pg = await startPostgres({ major, settings: KNOWING, walSegmentMiB: 1 });
    await using world = await momentWorld();
    const first = await world.backUp(pg);
    const [one, two] = await commitRows(pg, 1, 2);
    const gap = await world.archive(pg);
    const [lost] = await commitRows(pg, 3, 4);
    await pg.sql('select pg_switch_wal()');
    const resumed = segmentStart(await currentLsn(pg), SEGMENT);
    const second = await world.backUp(pg);
    const [five] = await commitRows(pg, 5, 5);
    await world.archive(pg, { from: resumed });
    const { repository } = world.session;
    const place = { systemIdentifier: await systemIdentifier(pg), timeline: 1, start: gap, end: resumed };
    await recordGap(repository, { ...place, reason: 'slot_lost', detail: 'the server invalidated the slot' });

    const inside = await world.refusal({ kind: 'time', time: lost!.time });
    assert.equal(inside.before?.time, formatMicroseconds(two!.time));
    assert.equal(inside.after?.point, second);
    assert.match(inside.message, /no log from .* to .*: the server invalidated the slot/);
    assert.ok(inside.hint.includes(formatMicroseconds(two!.time)), inside.hint);
    assert.equal((await world.refusal({ kind: 'lsn', lsn: lost!.end })).before?.time, formatMicroseconds(two!.time));

    const at = async (time: bigint) => (await world.plan({ kind: 'time', time })).base.point.stored.id;
    assert.deepEqual([await at(one!.time), await at(two!.time), await at(five!.time)], [first, first, second]);
    const after = await world.refusal({ kind: 'time', time: five!.time + 1n });
    assert.deepEqual([after.before?.time, after.after], [formatMicroseconds(five!.time), null]);
    assert.match(after.message, /after the last archived commit/);

    // a point follows the gap: history. Without that point it is a problem
    const source = postgresSource(pg.url()) as PostgresSourceSettings;
    const { snapshots } = await listSnapshots(repository);
    const times = new Map(
      snapshots.map((snapshot) => [snapshot.id as string, new Date(timeOf(snapshot)).toISOString()]),
    );
    const told = async (points: readonly StoredSnapshot[]) => {
      const { sources } = await walStatus(world.session, { app: 'clinic', sources: [source], points });
      const facts = { points: 1, damagedPoints: 0, storages: [], damage: [], objectives: [], lastProof: PROVEN };
      const { from, to, next_point: next, from_lsn: start } = sources[0]!.gaps[0]!;
      assert.equal(start, formatLsn(gap));
      return { from, to, next, problems: statusProblems({ ...facts, wal: sources }).map(({ what }) => what) };
    };
    const from = formatMicroseconds(two!.time);
    assert.deepEqual(await told(snapshots), { from, to: times.get(second), next: second, problems: [] });
    const alone = await told(snapshots.filter(({ id }) => id === first));
    assert.deepEqual([alone.from, alone.to, alone.next], [from, null, null]);
    assert.match(alone.problems.join(), /^there is a gap;/);

    // nobody knows when a transaction was that no log shows: the newest and the oldest moment are named
    for (const target of [{ kind: 'xid', xid: lost!.xid } as const, { kind: 'name', name: 'never' } as const]) {
      const absent = await world.refusal(target);
      const ends = [absent.why, absent.before?.time, absent.after?.point];
      assert.deepEqual(ends, ['absent', formatMicroseconds(five!.time), first]);
      assert.match(absent.hint, /newest moment there is: the commit of .* The oldest: point /);
    }
  },
);

test('a point without archived log can be restored as it is, and a point is not taken for a moment before it', async () => {
  await using pg = await startPostgres({ major: inTurn(1), settings: KNOWING });
  await using world = await momentWorld();
  assert.equal((await world.refusal({ kind: 'latest' })).why, 'no-base');
  const [one] = await commitRows(pg, 1, 1);
  const id = await world.backUp(pg);
  const [two] = await commitRows(pg, 2, 2);
  const bare = await world.refusal({ kind: 'time', time: two!.time });
  assert.deepEqual([bare.why, bare.before?.point, bare.after], ['no-log', id, null]);
  assert.deepEqual((await world.plan({ kind: 'latest' })).stop, { kind: 'immediate' });

  // Of several such points the nearest one is named.
  const newer = await world.backUp(pg);
  const after = await world.refusal({ kind: 'time', time: two!.time + 86_400_000_000n });
  assert.deepEqual([after.why, after.before?.point, after.after], ['no-log', newer, null]);

  // The log before the point is in the archive; no older point leads to it.
  await world.archive(pg);
  const before = await world.refusal({ kind: 'time', time: one!.time - 1n });
  assert.deepEqual([before.why, before.after?.point], ['before', id]);
});

test('an idle server: the newest moment is the last commit, and nothing after it is made up', async () => {
  await using pg = await startPostgres({ major: inTurn(2), settings: KNOWING });
  await using world = await momentWorld();
  await world.backUp(pg);
  const [one] = await commitRows(pg, 1, 1);
  await world.archive(pg);
  await pg.sql('checkpoint; select pg_switch_wal()');
  await world.archive(pg);
  assert.deepEqual(await world.rows({ kind: 'latest' }), [1]);
  assert.equal(
    (await world.refusal({ kind: 'time', time: one!.time + 60_000_000n })).before?.time,
    formatMicroseconds(one!.time),
  );
});

test('segments of one megabyte: rows over many of them, with the log between two of them', async () => {
  await using pg = await startPostgres({ major: inTurn(3), settings: KNOWING, walSegmentMiB: 1 });
  await using world = await momentWorld();
  await world.backUp(pg);
  const [one] = await commitRows(pg, 1, 1);
  await pg.sql('create table bulk as select g, repeat(md5(g::text), 10) as body from generate_series(1, 20000) g');
  const [two, three] = await commitRows(pg, 2, 3);
  await world.archive(pg);
  assert.deepEqual(await world.rows({ kind: 'time', time: two!.time }), [1, 2]);
  const plans = [await world.plan({ kind: 'xid', xid: one!.xid }), await world.plan({ kind: 'xid', xid: three!.xid })];
  assert.ok(plans[1]!.reached - plans[0]!.reached > 5n * 1024n * 1024n);
});

test('log that cannot be read ends the recovery with its own failure, not early: nothing is left of the copy', async () => {
  await using pg = await startPostgres({ major: inTurn(4), settings: KNOWING, walSegmentMiB: 1 });
  await using world = await momentWorld();
  await world.backUp(pg);
  await pg.sql('create table bulk as select g, repeat(md5(g::text), 10) as body from generate_series(1, 10000) g');
  await commitRows(pg, 1, 1);
  await world.archive(pg);
  const directory = world.dir.join('a', 'wal', await systemIdentifier(pg), '00000001');
  const pieces = (await readdir(directory)).sort();
  const middle = join(directory, pieces.at(-4)!);
  const { size } = await stat(middle);
  await chmod(middle, 0o600);
  await writeFile(middle, Buffer.alloc(size, 7));
  await assert.rejects(world.sandbox({ kind: 'latest' }), { code: 'data_damaged' });
  assert.deepEqual(await readdir(world.sandboxes), []);
});
