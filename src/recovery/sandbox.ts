/**
 * A sandbox: a throw-away PostgreSQL with the database of a point, or as it was at a moment. It runs alone, under its own configuration, on a
 * private socket, and everything of it goes when it is disposed of or when this process ends, however that happens.
 */
import { randomBytes } from 'node:crypto';
import { Failure } from '../base/failure.ts';
import { type ServerAccount, serverAccount } from '../postgres/account.ts';
import { PostgresInstance } from '../postgres/instance.ts';
import { type ProgramSearch, programsFor, type ServerPrograms } from '../postgres/programs.ts';
import { SqlSession } from '../postgres/sql.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { listSnapshots } from '../repository/snapshots.ts';
import { logRoom, type MomentPlan, type MomentTarget, planMoment } from './moment.ts';
import { type OpenedPoint, openPoint } from './point.ts';
import { replay } from './replay.ts';
import { makePlace, type SandboxPlace } from './sandbox/place.ts';
import { type Database, databaseOf, dataDirectoryOf, restoreCopy } from './sandbox/restore-copy.ts';
import { neutralise, runtimeParent, writeConfigFiles } from './server/config-files.ts';
import { reachedBy } from './server/reached.ts';
import { majorOf, quietSettings, type ServerLimits } from './server/settings.ts';
import { quietSession, resetStoredSettings } from './server/stored-settings.ts';
import { bootstrapSuperuser } from './server/superuser.ts';
import { announceReading } from './shared-lock.ts';
import type { RecoveryWorld } from './world.ts';

export { majorOf, type ServerLimits } from './server/settings.ts';

export interface SandboxRequest {
  readonly target: MomentTarget;
  readonly app: string;
  /** The database; may be left out where the point has one. */
  readonly source?: string;
  /** Read from this storage only. */
  readonly storage?: string;
  /** Where the private directory is made. Default: the machine's directory for temporary files. */
  readonly directory?: string;
  /** Restores everything else of the point beside the database. */
  readonly withFiles?: boolean;
  /** Also on a free port of 127.0.0.1, with a password made for it. */
  readonly tcp?: boolean;
  /** Settings that win over ours, for example `shared_preload_libraries` for data that cannot be read without. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly programs: ProgramSearch;
  /** Runs the server when we are root. Default: postgres, where there is such an account. */
  readonly account?: string;
  readonly limits?: ServerLimits;
}

export interface Sandbox extends AsyncDisposable {
  /** For a superuser; `database` is the configured one of the source unless named. */
  url(database?: string): string;
  /** Where everything was restored to: `directory/<source>/…`. */
  readonly directory: string;
  readonly major: number;
  readonly point: OpenedPoint;
  readonly reached: { readonly lsn: string; readonly commitTime: string | null };
  readonly steps: readonly { readonly step: string; readonly seconds: number }[];
}

/** Crash recovery of the WAL that lies in the point may take long; the server's end and an interruption are noticed at once. */
const START_TIMEOUT_MS = 3_600_000;

/** Throws what a restore throws; `postgres_program_missing`, `postgres_start_failed`, `moment_unreachable`, `target_full`. */
export async function openSandbox(world: RecoveryWorld, request: SandboxRequest): Promise<Sandbox> {
  return new Opening(world, request).open();
}

class Opening {
  readonly #world: RecoveryWorld;
  readonly #request: SandboxRequest;
  readonly #steps: { step: string; seconds: number }[] = [];

  constructor(world: RecoveryWorld, request: SandboxRequest) {
    this.#world = world;
    this.#request = request;
  }

  async open(): Promise<Sandbox> {
    await using lock = await announceReading(this.#world);
    const { indexed, point, plan } = await this.#timed('find', () => this.#find());
    const database = databaseOf(point, this.#request.source);
    const account = serverAccount(this.#request.account);
    const programs = await programsFor(majorOf(database.record.facts), this.#request.programs);
    await using parts = new AsyncDisposableStack();
    const { holder } = this.#world.repository.settings;
    const place = parts.use(await makePlace(this.#request.directory, account, holder));
    const copy = { point, database, place, account, programs };
    await lock.settled();
    await this.#timed('restore', () => this.#restore(indexed, copy, plan));
    const { instance, user, reached } = await this.#timed(plan === undefined ? 'start' : 'replay', () =>
      plan === undefined ? this.#start(copy) : this.#replay(copy, plan),
    );
    parts.defer(() => instance.stop('immediate'));
    await resetStoredSettings(instance, user, this.#world.signal);
    const login = this.#request.tcp ? await this.#passwordLogin(instance, user) : { user };
    const all = parts.move();
    return {
      url: (name = database.record.facts.database.name) => instance.url({ ...login, database: name }),
      directory: place.restored,
      major: programs.major,
      point,
      reached,
      steps: this.#steps,
      [Symbol.asyncDispose]: () => all.disposeAsync(),
    };
  }

  async #timed<T>(step: string, work: () => Promise<T>): Promise<T> {
    const { clock } = this.#world;
    const started = clock.monotonic();
    const result = await work();
    this.#steps.push({ step, seconds: (clock.monotonic() - started) / 1000 });
    return result;
  }

  async #find(): Promise<{ indexed: IndexedRepository; point: OpenedPoint; plan?: MomentPlan }> {
    const { repository } = this.#world;
    const { target, app, source } = this.#request;
    const { snapshots } = await listSnapshots(repository);
    const indexed = await repository.loadIndex();
    if (target.kind === 'point') {
      const stored = snapshots.find(({ id }) => id === target.point);
      if (stored === undefined) throw new Failure('point_unknown', `There is no restore point ${target.point}.`);
      return { indexed, point: await openPoint(indexed, stored) };
    }
    const request = { target, app, ...(source === undefined ? {} : { source }) };
    const plan = await planMoment(this.#world, indexed, snapshots, request);
    return { indexed, point: plan.base.point, plan };
  }

  async #restore(indexed: IndexedRepository, copy: Copy, plan: MomentPlan | undefined): Promise<void> {
    const { withFiles, storage } = this.#request;
    const { point, database, place, account } = copy;
    const sources = withFiles ? [] : [database.name];
    const moreRoom = plan === undefined ? 0 : logRoom(plan);
    await restoreCopy(this.#world, indexed, { point, sources, storage, target: place.restored, account, moreRoom });
    await neutralise(dataDirectoryOf(place.restored, database));
  }

  async #start({ database, place, account, programs }: Copy): Promise<Started> {
    const { settings, limits, tcp = false } = this.#request;
    const { signal, clock } = this.#world;
    const quiet = { ...quietSettings(database.record.facts, limits), ...settings };
    const instance = await PostgresInstance.start({
      programs,
      dataDir: dataDirectoryOf(place.restored, database),
      account,
      settings: await writeConfigFiles(place.path, { settings: quiet, tcp }),
      loopback: tcp,
      ...runtimeParent(place.path),
      removeWhenOrphaned: [place.path],
      startTimeoutMs: START_TIMEOUT_MS,
      signal,
      clock,
    });
    try {
      const user = await bootstrapSuperuser(instance, database.record.facts.blockSize, signal);
      return { instance, user, reached: await reachedBy(instance, user, signal) };
    } catch (error) {
      await instance.stop('immediate');
      throw error;
    }
  }

  #replay({ database, place, account, programs }: Copy, plan: MomentPlan): Promise<Started> {
    const { settings, limits, tcp = false } = this.#request;
    return replay(this.#world, {
      plan,
      dataDir: dataDirectoryOf(place.restored, database),
      runtime: place.path,
      programs,
      account,
      tcp,
      ...(settings === undefined ? {} : { settings }),
      ...(limits === undefined ? {} : { limits }),
      removeWhenOrphaned: [place.path],
    });
  }

  /** The socket lets everybody in who gets to it; a port can be reached by every account of the machine. */
  async #passwordLogin(instance: PostgresInstance, user: string): Promise<Login> {
    const [role, password] = [`sandbox_${randomBytes(4).toString('hex')}`, randomBytes(18).toString('base64url')];
    await using sql = await SqlSession.open(quietSession(instance, user), { signal: this.#world.signal });
    await sql.run('SET default_transaction_read_only = off');
    await sql.run(`CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${password}'`);
    return { user: role, password, tcp: true };
  }
}

interface Login {
  readonly user: string;
  readonly password?: string;
  readonly tcp?: boolean;
}

interface Started {
  readonly instance: PostgresInstance;
  readonly user: string;
  readonly reached: Sandbox['reached'];
}

interface Copy {
  readonly point: OpenedPoint;
  readonly database: Database;
  readonly place: SandboxPlace;
  readonly account: ServerAccount | undefined;
  readonly programs: ServerPrograms;
}
