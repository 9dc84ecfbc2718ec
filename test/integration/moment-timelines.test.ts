/** Forked timelines: recovery back in time, twice; every branch can be reached, lost history files are told or replaced. */
import assert from 'node:assert/strict';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Sandbox } from '../../src/recovery/sandbox.ts';
import { WalArchive } from '../../src/wal/archive.ts';
import { commitRows, KNOWING, systemIdentifier } from '../support/postgres/moments.ts';
import { majors, runSql, startPostgres } from '../support/postgres/server.ts';
import { type MomentWorld, momentWorld, rowsIn } from './fixtures/moment-world.ts';

const available = (await majors()).filter((major) => major !== 16);

for (const major of available) {
  test(`PostgreSQL ${major}: after recovering back in time twice, every branch of the log can be reached`, async () => {
    await using pg = await startPostgres({ major, settings: KNOWING });
    await using world = await momentWorld();
    await commitRows(pg, 1, 2);
    await world.backUp(pg);
    const [three, four, , six] = await commitRows(pg, 3, 6);
    await world.archive(pg);

    // A copy at the fourth row goes on as the database: timeline 2.
    await using second = await world.sandbox({ kind: 'time', time: four!.time }, { settings: KNOWING });
    const [fourteen] = await commitRows(asServer(second), 14, 15);
    await archiveBranch(world, second, 2);
    assert.deepEqual(await world.rows({ kind: 'latest' }), [1, 2, 3, 4, 14, 15]);
    assert.deepEqual(await world.rows({ kind: 'time', time: six!.time }), [1, 2, 3, 4], 'rows 5 and 6 were abandoned');
    const abandoned = await world.plan({ kind: 'time', time: six!.time }, 1);
    assert.deepEqual([abandoned.timeline, abandoned.stop.kind], [1, 'lsn']);
    assert.ok(abandoned.reached >= six!.end);
    assert.equal((await world.plan({ kind: 'time', time: three!.time })).timeline, 1);

    // Once more, from the branch.
    await using third = await world.sandbox({ kind: 'xid', xid: fourteen!.xid }, { settings: KNOWING });
    await commitRows(asServer(third), 24, 24);
    await archiveBranch(world, third, 3);
    await removeHistory(world, pg, 2);
    await using last = await world.sandbox({ kind: 'latest' });
    assert.deepEqual(
      await rowsIn(last.url()),
      [1, 2, 3, 4, 14, 24],
      'the history of timeline 2 is lost, that of 3 tells',
    );
    const [own] = await runSql(last.url(), 'checkpoint; select timeline_id::int as id from pg_control_checkpoint()');
    assert.equal(own?.id, 4, 'a lost history file does not free its number');

    await removeHistory(world, pg, 3);
    const { message } = await world.refusal({ kind: 'latest' });
    assert.match(message, /history of timeline 3 \(00000003\.history\) is in no storage/);
  });
}

/** What the helpers need of a server. */
function asServer(sandbox: Sandbox) {
  return { sql: (text: string) => runSql(sandbox.url(), text), dataDir: join(sandbox.directory, 'database') };
}

async function archiveBranch(world: MomentWorld, sandbox: Sandbox, timeline: number): Promise<void> {
  const server = asServer(sandbox);
  await world.archive(server, { timeline });
  const name = `${timeline.toString(16).toUpperCase().padStart(8, '0')}.history`;
  const archive = new WalArchive(world.session.repository, await systemIdentifier(server));
  await archive.storeHistory(timeline, await readFile(join(server.dataDir, 'pg_wal', name)));
}

async function removeHistory(
  world: MomentWorld,
  server: Parameters<typeof systemIdentifier>[0],
  timeline: number,
): Promise<void> {
  const directory = world.dir.join('a', 'wal', await systemIdentifier(server), 'history');
  const prefix = timeline.toString(16).padStart(8, '0');
  const names = (await readdir(directory)).filter((name) => name.startsWith(prefix));
  assert.ok(names.length > 0);
  for (const name of names) await rm(join(directory, name));
}
