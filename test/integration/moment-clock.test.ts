/** Clocks that were wrong: commit times in the log that go back, and bases whose date contradicts the log. */
import assert from 'node:assert/strict';
import { formatMicroseconds } from '../../src/base/relative-time.ts';
import { segmentStart } from '../../src/postgres/lsn.ts';
import { MAJORS, onEachMajor } from '../support/postgres/each-major.ts';
import { commitRows, currentLsn, KNOWING, type KnownCommit } from '../support/postgres/moments.ts';
import { startPostgres } from '../support/postgres/server.ts';
import { shiftCommits } from '../support/postgres/set-clock.ts';
import { momentWorld } from './fixtures/moment-world.ts';

const SEGMENT = 1024 * 1024;
const HOUR = 3_600_000_000n;

onEachMajor(
  'a server whose clock was ahead and then set back: as PostgreSQL, up to the first commit after the time, and no further',
  async (major) => {
    await using pg = await startPostgres({ major, settings: KNOWING, walSegmentMiB: 1 });
    await using world = await momentWorld();
    await commitRows(pg, 1, 1);
    await world.backUp(pg);
    const [two, ahead, four, five] = await commitRows(pg, 2, 6);
    await world.archive(pg, { change: shifted(ahead!, HOUR) });

    const stop = async (time: bigint) => {
      const plan = await world.plan({ kind: 'time', time });
      assert.ok(plan.stop.kind === 'lsn' && !plan.stop.inclusive);
      return plan.stop.lsn;
    };
    const before = await stop(two!.time);
    for (const time of [four!.time, five!.time, ahead!.time + HOUR - 1n]) assert.equal(await stop(time), before);
    assert.deepEqual(await world.rows({ kind: 'time', time: five!.time }), [1, 2], 'the third says that it was later');
    if (major !== MAJORS.at(-1)) return; // what follows is tested on one
    const all = [1, 2, 3, 4, 5, 6];
    assert.deepEqual(await world.rows({ kind: 'time', time: ahead!.time + HOUR }), all);
    assert.deepEqual(await world.rows({ kind: 'latest' }), all);
    const after = await world.refusal({ kind: 'time', time: ahead!.time + HOUR + 1n });
    assert.equal(after.before?.time, formatMicroseconds(ahead!.time + HOUR));

    // The log begins with the base, and the clock was set back after it: nobody knows what the base holds of the time before it.
    await using late = await momentWorld();
    await pg.sql('select pg_switch_wal()');
    const from = segmentStart(await currentLsn(pg), SEGMENT);
    const id = await late.backUp(pg);
    const [behind] = await commitRows(pg, 7, 8);
    await late.archive(pg, { from, change: shifted(behind!, -HOUR) });
    const refused = await late.refusal({ kind: 'time', time: behind!.time - HOUR / 2n });
    assert.deepEqual([refused.why, refused.after?.point], ['before', id]);
  },
);

function shifted({ xid: wanted }: KnownCommit, by: bigint) {
  return (segment: Buffer, start: bigint) =>
    shiftCommits(segment, start, SEGMENT, ({ xid }) => (xid === wanted ? by : 0n));
}
