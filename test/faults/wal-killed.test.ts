/**
 * kill -9 of the primary in the middle of a segment, and of the streamer at any moment, with real processes: which commits that were
 * acknowledged to a client are in the archive? They are looked for in the archived log itself, by transaction id. The score is printed.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, test } from 'node:test';
import pg from 'pg';
import { systemClock } from '../../src/base/clock.ts';
import { parseLsn } from '../../src/postgres/lsn.ts';
import { readStreamState } from '../../src/wal/stream-state.ts';
import { PASSWORD } from '../support/care.ts';
import { HOLDFAST, writeConfig } from '../support/holdfast.ts';
import { type Front, startFront } from '../support/postgres/front.ts';
import { majors, startPostgres, type TestServer } from '../support/postgres/server.ts';
import { archivedXids, serverEnd, type WalPlace, walPlace } from '../support/wal-stream.ts';

const all = (await majors()).filter((major) => major !== 16);
const SLOT = 'holdfast_clinic_database';
/** The commits that are counted: those this old when the primary died, in ms. Ten times what `flushEvery: 500ms` promises. */
const LAG = 5_000;

interface Commit {
  readonly xid: number;
  /** When the client heard of it; monotonic. */
  readonly at: number;
}

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
            `INSERT INTO t (body) VALUES (repeat(md5(random()::text), 10)) RETURNING xmin::text AS xid`,
          );
          this.commits.push({ xid: Number(rows[0].xid), at: systemClock.monotonic() });
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

/** Looks again: between the listing and the reading a slice may give way to its segment. */
async function lostOf(scene: Scene, due: readonly Commit[], masks: readonly number[]): Promise<number> {
  for (let tries = 0; ; tries++) {
    try {
      let lost = 0;
      for (const mask of masks) {
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
async function received({ place, server }: Scene): Promise<void> {
  const end = await serverEnd(server);
  for (;;) {
    const state = await readStreamState(place.spool);
    if (state?.received != null && parseLsn(state.received) >= end) return;
    await systemClock.sleep(50);
  }
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
    await received(scene);
    const status = await streamer.stop();
    assert.equal(status, 0, streamer.said);
    assert.equal(await lostOf(scene, client.commits, [1, 2]), 0, 'in the end everything is there');
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${streamer.said}`, { cause: error });
  } finally {
    await client.end();
    await streamer.kill();
    if (scene.server !== first) await scene.server[Symbol.asyncDispose]();
  }
}

describe('killed', { concurrency: false }, () => {
  const newest = all.at(-1) ?? 18;

  test('storages acknowledge: no commit that a client heard of is missing in any storage, at any moment', async (t) => {
    const score = { kills: 0, commits: 0, lost: 0 };
    for (const major of all) {
      const settings = { synchronous_standby_names: SLOT }; // from its start on: a reload reaches clients some time later
      await withScene({ major, wal: { acknowledge: 2, flushEvery: '500ms' }, settings }, async (scene) => {
        for (let kill = 0; kill < 4; kill++) {
          await scene.client.more(3 + Math.floor(Math.random() * 20));
          const killsServer = kill % 2 === 0;
          if (killsServer) await scene.server.instance.stop('kill');
          else await scene.streamer.kill();
          const due = [...scene.client.commits];
          score.lost += await lostOf(scene, due, [1, 2]);
          score.kills += 1;
          if (killsServer) await restart(scene, settings);
          else scene.streamer.start();
        }
        score.commits += scene.client.commits.length;
      });
    }
    t.diagnostic(`synchronous: ${score.kills} kills, ${score.commits} commits acknowledged, ${score.lost} lost`);
    assert.equal(score.lost, 0);
  });

  test('the spool acknowledges: no commit that the streamer had received is missing in the storages when the primary is killed', async (t) => {
    const score = { kills: 0, commits: 0, known: 0, missing: 0, due: 0, lost: 0 };
    const settings = {};
    await withScene({ major: newest, wal: { flushEvery: '500ms' }, settings }, async (scene) => {
      for (let kill = 0; kill < 6; kill++) {
        const heard = scene.client.commits.length;
        await received(scene);
        await systemClock.sleep(Math.random() * 1000);
        await scene.client.more(2);
        await scene.server.instance.stop('kill');
        const now = systemClock.monotonic();
        await drained(scene);
        const known = scene.client.commits.slice(0, heard);
        const due = scene.client.commits.filter(({ at }) => at < now - LAG);
        score.known = known.length;
        score.due = due.length;
        score.missing += await lostOf(scene, known, [1, 2]);
        score.lost += await lostOf(scene, due, [1, 2]);
        score.kills += 1;
        await restart(scene, settings);
        if (kill % 2 === 1) {
          await scene.streamer.kill();
          scene.streamer.start();
          score.kills += 1;
        }
      }
      score.commits += scene.client.commits.length;
    });
    const counted = `${score.commits} commits acknowledged, ${score.due} more than ${LAG} ms before a kill`;
    t.diagnostic(`asynchronous: ${score.kills} kills, ${counted}, ${score.lost} of those lost`);
    assert.ok(score.known > 0);
    assert.equal(score.missing, 0);
  });
});
