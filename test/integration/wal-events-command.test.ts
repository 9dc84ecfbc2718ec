/** `wal events` on an archive: the transaction is told by name, restoring to the position before it brings the rows back, also without the server. */
import assert from 'node:assert/strict';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { formatMicroseconds, parseMicroseconds } from '../../src/base/relative-time.ts';
import { HOLDFAST } from '../support/holdfast.ts';
import { runSql, startPostgres } from '../support/postgres/server.ts';
import { until } from '../support/until.ts';
import { walWorld } from '../support/wal-world.ts';

interface Report {
  readonly events: readonly {
    readonly time: string;
    readonly xid: number | null;
    readonly before_lsn: string;
    readonly changes: readonly {
      readonly kind: string;
      readonly relation: string | null;
      readonly rows: number | null;
    }[];
  }[];
}

test('a wrong DELETE and a DROP are told by name, with the position before each, also when the server is gone', async () => {
  await using world = await walWorld(17);
  const { server, run } = world;
  await world.archive();
  await server.sql('CREATE TABLE visits (id int primary key); INSERT INTO visits SELECT generate_series(1, 6000)');
  await server.sql('CREATE TABLE bills (id int primary key)');
  await run(['backup']);
  const [gone] = await runSql(
    server.url(),
    'BEGIN; DELETE FROM visits WHERE id <= 5000; CREATE TEMP TABLE me AS SELECT pg_current_xact_id()::text AS xid; COMMIT; SELECT xid FROM me',
  );
  await server.sql('DROP TABLE bills');
  await world.finishSegment();
  const told = async () => (await run(['wal', 'events', '--since', '1h ago', '--json'])).document<Report>().events;
  const events = await told();
  const seen = events.map(({ changes }) => changes.map(({ kind, relation, rows }) => [kind, relation, rows]));
  assert.deepEqual(seen, [[['delete', 'public.visits', 5000]], [['drop', 'public.bills', null]]]);
  assert.equal(String(events[0]!.xid), gone?.xid);
  const text = (await run(['wal', 'events'])).stdout;
  assert.match(text, /deleted 5,000 rows of public\.visits/);
  assert.match(text, /dropped public\.bills/);
  assert.deepEqual((await run(['wal', 'events', '--until', '1h ago', '--json'])).document<Report>().events, []);
  assert.deepEqual((await run(['wal', 'events', '--min-rows', '5001', '--json'])).document<Report>().events.length, 1);
  const before = formatMicroseconds(parseMicroseconds(events[0]!.time, 0) - 1n);
  const rows = await run(['rows', '--at', before, '--table', 'visits', '--where', 'id < 3', '--to', '-', '--quiet']);
  assert.equal(rows.stdout, 'id\n1\n2\n');

  // the server that is started on the copy replays the log itself, with the commands that the restore left to it
  await run(['restore', '--lsn', events[0]!.before_lsn, '--no-replay', '--to', world.dir.join('restored')]);
  process.env.PATH = `${dirname(HOLDFAST)}:${process.env.PATH}`;
  process.env.HOME = world.dir.join('home');
  await using restored = await startPostgres({ major: 17, dataDir: world.dir.join('restored/database') });
  await until(async () => (await restored.sql('SELECT pg_is_in_recovery() AS it'))[0]?.it === false);
  assert.equal((await restored.sql('SELECT count(*)::int AS n FROM visits'))[0]?.n, 6000);
  await server.instance.stop('immediate');
  const without = await told();
  assert.deepEqual(
    without.map(({ before_lsn }) => before_lsn),
    events.map(({ before_lsn }) => before_lsn),
  );
  assert.equal(without[1]?.changes[0]?.relation, 'public.bills');
  assert.equal(without[0]?.changes[0]?.rows, 5000);
});
