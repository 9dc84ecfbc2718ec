/** Any moment: each kind of target, on the boundary and beside it, holes, other timelines; proved before anything is written, rows compared. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commitRows, KNOWING } from '../support/postgres/moments.ts';
import { majors, startPostgres } from '../support/postgres/server.ts';
import { serverEnd, walPlace } from '../support/wal-stream.ts';
import { momentWorld } from './fixtures/moment-world.ts';

const available = (await majors()).filter((major) => major !== 16);

for (const major of available) {
  test(`PostgreSQL ${major}: every kind of moment gives exactly the rows that were there`, async () => {
    await using pg = await startPostgres({ major, settings: KNOWING });
    await using world = await momentWorld();
    await commitRows(pg, 1, 2);
    const first = await world.backUp(pg);
    const [three, four, five] = await commitRows(pg, 3, 5);
    await pg.sql("select pg_create_restore_point('before six')");
    const six = (await commitRows(pg, 6, 8))[0]!;
    await world.archive(pg);

    assert.deepEqual(await world.rows({ kind: 'time', time: four!.time }), [1, 2, 3, 4], 'the commit of that very µs');
    assert.deepEqual(await world.rows({ kind: 'xid', xid: four!.xid }), [1, 2, 3, 4]);
    assert.deepEqual(await world.rows({ kind: 'name', name: 'before six' }), [1, 2, 3, 4, 5]);
    assert.deepEqual(await world.rows({ kind: 'lsn', lsn: six.end }), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual(await world.rows({ kind: 'latest' }), [1, 2, 3, 4, 5, 6, 7, 8]);
    assert.deepEqual(await world.rows({ kind: 'immediate' }), [1, 2]);

    const just = await world.plan({ kind: 'time', time: four!.time - 1n });
    const there = await world.plan({ kind: 'time', time: four!.time });
    assert.deepEqual([just.base.point.stored.id, there.base.point.stored.id], [first, first]);
    assert.ok(just.stop.kind === 'lsn' && there.stop.kind === 'lsn');
    assert.ok(just.stop.lsn >= three!.end && just.stop.lsn < four!.end && there.stop.lsn >= four!.end);
    assert.ok(there.stop.lsn < five!.end);

    const past = await world.refusal({ kind: 'time', time: three!.time - 3_600_000_000n });
    assert.deepEqual([past.before, past.after?.point, past.why], [null, first, 'before']);
  });
}

test('what is streamed, in slices and with the last segment unfinished, gives every second of it', async () => {
  await using pg = await startPostgres({ major: available.at(-1)!, settings: KNOWING });
  await using place = await walPlace({ storages: 1 });
  await using stream = place.start(pg.url());
  await stream.until('it streams', ({ status }) => status === 'streaming');
  await using world = await momentWorld(place.stores[0]!);
  const known = await commitRows(pg, 1, 2);
  await world.backUp(pg);
  for (let n = 3; n <= 6; n++) {
    known.push(...(await commitRows(pg, n, n)));
    await stream.stored(await serverEnd(pg));
  }
  const [, , three, four] = known;
  assert.deepEqual(await world.rows({ kind: 'time', time: four!.time - 1n }), [1, 2, 3]);
  assert.deepEqual(await world.rows({ kind: 'latest' }), [1, 2, 3, 4, 5, 6], 'while the stream goes on');
  assert.ok((await world.plan({ kind: 'xid', xid: three!.xid })).reached <= four!.end);
});
