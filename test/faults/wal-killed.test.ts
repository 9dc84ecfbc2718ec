/**
 * kill -9 of the primary in the middle of a segment, and of the streamer at any moment, with real processes: which commits that were
 * acknowledged to a client are in the archive? They are looked for in the archived log itself, by transaction id. The score is printed.
 * What is asserted holds at whatever moment the kill comes; only the figures that are printed depend on it.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, type TestContext, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { readStreamState } from '../../src/wal/stream-state.ts';
import { PASSWORD } from '../support/care.ts';
import { HOLDFAST, writeConfig } from '../support/holdfast.ts';
import { MAJORS } from '../support/postgres/each-major.ts';
import { type Front, startFront } from '../support/postgres/front.ts';
import { startPostgres, type TestServer } from '../support/postgres/server.ts';
import { until } from '../support/until.ts';
import { archivedXids, serverEnd, type WalPlace, walPlace } from '../support/wal-stream.ts';

const SLOT = 'holdfast_clinic_database';
/** What is killed, one after the other, on each version: seven primaries, three streams. */
const SYNCHRONOUS = ['primary', 'stream', 'primary', 'primary', 'stream', 'primary'] as const;
const ASYNCHRONOUS = ['primary', 'stream', 'primary', 'primary'] as const;

interface Commit {
  readonly xid: number;
  /** When its statement began, by the server's clock, in microseconds: no commit before it in the list was acknowledged later. */
  readonly begun: bigint;
}

interface Score {
  primaries: number;
  streams: number;
  commits: number;
  lost: number;
}

/** Between two commits, in ms: the processors are for others, too. */
const BREATH = 10;

/** A client that commits one row after the other, and begins again when the server is back. */
class Client {
  readonly commits: Commit[] = [];
  #client: pg.Client | undefined;
  #over = false;
  readonly #url: string;
  readonly #done: Promise<void>;

  constructor(url: string) {
    this.#url = url;
    this.#done = this.#run();
  }

  async end(): Promise<void> {
    this.#over = true;
    this.#client?.connection.stream.destroy();
    await this.#done;
  }

  /** Waits for so many more commits. */
  async more(count: number): Promise<void> {
    const goal = this.commits.length + count;
    while (this.commits.length < goal) await systemClock.sleep(10);
  }

  async #run(): Promise<void> {
    while (!this.#over) {
      try {
        const client = new pg.Client({ connectionString: this.#url, connectionTimeoutMillis: 5_000 });
        client.on('error', () => {});
        await client.connect();
        this.#client = client;
        while (!this.#over) {
          const { rows } = await client.query(
            `INSERT INTO t (body) VALUES (repeat(md5(random()::text), 10))
             RETURNING xmin::text AS xid, (extract(epoch FROM statement_timestamp()) * 1000000)::bigint::text AS begun`,
          );
          this.commits.push({ xid: Number(rows[0].xid), begun: BigInt(rows[0].begun) });
          await systemClock.sleep(BREATH);
        }
      } catch {
        await systemClock.sleep(50);
      }
    }
  }
}

class Streamer {
  readonly #config: string;
  #child: ChildProcess | undefined;
  #said = '';

  constructor(config: string) {
    this.#config = config;
  }

  start(): void {
    const child = spawn(HOLDFAST, ['--config', this.#config, 'wal', 'stream'], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (bytes: Buffer) => {
        this.#said = (this.#said + bytes.toString('utf8')).slice(-8_000);
      });
    }
    this.#child = child;
  }

  get said(): string {
    return this.#said;
  }

  async kill(): Promise<void> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** Resolves with the exit status. */
  async stop(): Promise<number | null> {
    if (this.#child?.exitCode !== null || this.#child.signalCode !== null) throw new Error('it had ended by itself');
    const gone = once(this.#child, 'exit') as Promise<[number | null]>;
    this.#child.kill('SIGTERM');
    return (await gone)[0];
  }
}

interface Scene {
  readonly place: WalPlace;
  readonly front: Front;
  readonly client: Client;
  readonly streamer: Streamer;
  readonly identifier: string;
  server: TestServer;
}

/** How many are missing in one storage or the other. Looks again: between the listing and the reading a slice may give way to its segment. */
async function lostOf(scene: Scene, due: readonly Commit[]): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      let lost = 0;
      for (const mask of [1, 2]) {
        const xids = await archivedXids(scene.place.repository, scene.identifier, mask);
        lost += due.filter(({ xid }) => !xids.has(xid)).length;
      }
      return lost;
    } catch (error) {
      if (tries === 3) throw error;
    }
  }
}

/** Waits until the streamer has everything that the server wrote. */
async function allReceived({ place, server }: Scene): Promise<void> {
  const end = await serverEnd(server);
  for (;;) {
    const state = await readStreamState(place.spool);
    if (state?.received != null && parseLsn(state.received) >= end) return;
    await systemClock.sleep(50);
  }
}

/** The newest commit that both storages hold, as the stream tells: what it says would be lost came after it. Microseconds, by the server's clock. */
async function statedCommit({ place }: Scene): Promise<bigint> {
  const state = await readStreamState(place.spool);
  const times = Object.values(state?.storages ?? {}).map(({ lastCommit }) => BigInt(lastCommit ?? 0));
  return times.length === 2 ? times.sort((a, b) => (a < b ? -1 : 1))[0]! : 0n;
}

/** The commits that were acknowledged before `time`, by the server's clock: those after which another statement began until then. */
function acknowledgedBefore(commits: readonly Commit[], time: bigint): readonly Commit[] {
  return commits.filter((_, i) => (commits[i + 1]?.begun ?? time) < time);
}

/** Waits until both storages hold what the streamer has received. */
async function drained({ place }: Scene): Promise<void> {
  for (;;) {
    const state = await readStreamState(place.spool);
    const end = parseLsn(state?.received ?? '0/0');
    const stored = Object.values(state?.storages ?? {}).map((storage) => parseLsn(storage.stored ?? '0/0'));
    if (end > 0n && stored.length === 2 && stored.every((position) => position >= end)) return;
    await systemClock.sleep(50);
  }
}

async function restart(scene: Scene, settings: Readonly<Record<string, string>>): Promise<void> {
  const { major, dataDir, directory } = scene.server;
  const isFirst = dataDir.startsWith(directory.path);
  scene.server = await startPostgres({ major, dataDir, settings });
  scene.front.to(scene.server);
  if (!isFirst) await directory.remove();
}

async function withScene(
  options: { major: number; wal: object; settings: Readonly<Record<string, string>> },
  work: (scene: Scene) => Promise<void>,
): Promise<void> {
  await using first = await startPostgres({ major: options.major, settings: options.settings });
  await using front = await startFront(first);
  await using place = await walPlace();
  const [row] = await first.sql(
    'SET synchronous_commit = local; CREATE TABLE t (id bigserial, body text); SELECT system_identifier::text AS id FROM pg_control_system()',
  );
  const source = { type: 'postgres', url: front.url, wal: { mode: 'stream', spool: place.spool, ...options.wal } };
  const config = await writeConfig(place.dir.path, {
    repository: { password: PASSWORD },
    storages: Object.fromEntries(place.stores.map(({ name }) => [name, { type: 'local', path: place.dir.join(name) }])),
    copies: { required: 2 },
    apps: { clinic: { sources: { database: source } } },
  });
  const streamer = new Streamer(config);
  streamer.start();
  const client = new Client(front.url);
  const scene: Scene = { place, front, client, streamer, identifier: String(row?.id), server: first };
  try {
    await client.more(5);
    await work(scene);
    // Whatever happened, the stream goes on to the end without a hole, and stops cleanly.
    await client.more(3);
    await client.end();
    await allReceived(scene);
    const status = await streamer.stop();
    assert.equal(status, 0, streamer.said);
    assert.equal(await lostOf(scene, client.commits), 0, 'in the end everything is there');
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${streamer.said}`, { cause: error });
  } finally {
    await client.end();
    await streamer.kill();
    if (scene.server !== first) await scene.server[Symbol.asyncDispose]();
  }
}

async function killStream({ streamer }: Scene): Promise<void> {
  await streamer.kill();
  streamer.start();
}

function tell(t: TestContext, mode: string, { primaries, streams, commits, lost }: Score, more = ''): void {
  const kills = `${primaries} kills of the primary, ${streams} of the stream`;
  t.diagnostic(`${mode}: ${kills}, ${commits} commits acknowledged, ${more}${lost} lost`);
}

describe('killed', { concurrency: false }, () => {
  test('storages acknowledge: no commit that a client heard of is missing in any storage, at any moment', async (t) => {
    const score: Score = { primaries: 0, streams: 0, commits: 0, lost: 0 };
    for (const major of MAJORS) {
      const settings = { synchronous_standby_names: SLOT }; // from its start on: a reload reaches clients some time later
      await withScene({ major, wal: { acknowledge: 2, flushEvery: '500ms' }, settings }, async (scene) => {
        for (const what of SYNCHRONOUS) {
          await scene.client.more(3 + Math.floor(Math.random() * 20));
          if (what === 'primary') await scene.server.instance.stop('kill');
          else await scene.streamer.kill();
          score.lost += await lostOf(scene, [...scene.client.commits]);
          if (what === 'primary') await restart(scene, settings);
          else scene.streamer.start();
          score[what === 'primary' ? 'primaries' : 'streams'] += 1;
        }
        score.commits += scene.client.commits.length;
      });
    }
    tell(t, 'synchronous', score);
    assert.equal(score.lost, 0);
  });

  test('the spool acknowledges: every commit acknowledged longer ago than the stated lag is in the storages when the primary is killed, and soon all that was received', async (t) => {
    const score: Score = { primaries: 0, streams: 0, commits: 0, lost: 0 };
    let [due, missing, longest] = [0, 0, 0n];
    for (const major of MAJORS) {
      await withScene({ major, wal: { flushEvery: '500ms' }, settings: {} }, async (scene) => {
        const { client } = scene;
        let older = 0;
        for (const what of ASYNCHRONOUS) {
          const begun = client.commits.at(-1)!.begun;
          await until(async () => (await statedCommit(scene)) > begun);
          await client.more(Math.floor(Math.random() * 50));
          if (what === 'stream') {
            await killStream(scene);
            score.streams += 1;
            continue;
          }
          const heard = client.commits.length;
          await allReceived(scene);
          const stated = await statedCommit(scene);
          await scene.server.instance.stop('kill');
          const commits = [...client.commits];
          const before = acknowledgedBefore(commits, stated);
          assert.ok(before.length > 0 && heard > 0);
          score.lost += await lostOf(scene, before);
          await drained(scene);
          missing += await lostOf(scene, commits.slice(0, heard));
          const lag = commits.at(-1)!.begun - stated;
          if (lag > longest) longest = lag;
          older = before.length;
          score.primaries += 1;
          await restart(scene, {});
        }
        score.commits += client.commits.length;
        due += older;
      });
    }
    const lag = `${due} longer before a kill than the lag that was stated (${longest / 1000n} ms at most), `;
    tell(t, 'asynchronous', score, lag);
    assert.deepEqual([score.lost, missing], [0, 0]);
  });
});
