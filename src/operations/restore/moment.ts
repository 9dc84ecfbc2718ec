/** What a restore to a moment adds to a restore: the planned moment, which point gives which source, and the recovery of the database. */

import { Failure, isFailure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { shellCommand } from '../../base/shell-words.ts';
import { serverAccount } from '../../postgres/account.ts';
import { type ProgramSearch, programsFor, type ServerPrograms } from '../../postgres/programs.ts';
import { logRoom, type MomentPlan, type MomentRequest, planMoment, pointsOfApp } from '../../recovery/moment.ts';
import { type OpenedPoint, openPoint } from '../../recovery/point.ts';
import { leaveToBeReplayed, prepareDataDirectory, type Replayed } from '../../recovery/replay.ts';
import { replayCopy } from '../../recovery/replay-copy.ts';
import { majorOf } from '../../recovery/sandbox.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { listSnapshots, type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { Session } from '../session.ts';
import { Assembly, assemble, partOf, tellParts } from './assembly.ts';

export interface MomentInput {
  readonly target: MomentRequest['target'];
  /** As the operator wrote it, relative times turned into absolute ones. */
  readonly requested: string;
  readonly timeline?: number;
  readonly programs: ProgramSearch;
  readonly account?: string;
  /** False: the recovery is left to whoever starts the directory. */
  readonly replay: boolean;
  /** The configuration file, with which that server fetches the log. Absolute. */
  readonly configFile: string;
}

/** The record of the moment that was restored. Null is what only a recovery tells, and none was carried out. */
export interface MomentOutcome {
  readonly requested: string;
  /** False: the directory is prepared, and the server that is started on it replays the log. */
  readonly replayed: boolean;
  readonly reached_lsn: string | null;
  /** Of the last commit in it, RFC 3339. */
  readonly reached_time: string | null;
  readonly timeline: number;
  /** The point the recovery began with. */
  readonly base: string;
  readonly wal_bytes: number;
  readonly wal_segments: number;
  readonly replay_s: number;
}

/** The point that the other sources come from; the newest, where they come from several. */
export interface FilesFrom {
  readonly point: string;
  readonly short_id: string;
  readonly time: string;
  /** From the point to the moment of the database; negative when no older point has them, null when the moment has no time. */
  readonly seconds_before: number | null;
}

export class MomentRestore {
  readonly plan: MomentPlan;
  /** Everything but the database; empty when only that is wanted. */
  readonly files: Assembly;
  readonly #newest: OpenedPoint;
  readonly #session: Session;
  readonly #input: MomentInput;
  readonly #programs: ServerPrograms | undefined;
  #replayed: Omit<Replayed, 'instance'> | undefined;

  private constructor(
    session: Session,
    input: MomentInput,
    found: { plan: MomentPlan; files: Assembly; newest: OpenedPoint; programs: ServerPrograms | undefined },
  ) {
    this.#session = session;
    this.#input = input;
    this.plan = found.plan;
    this.files = found.files;
    this.#newest = found.newest;
    this.#programs = found.programs;
  }

  /** Proves that the moment can be reached, and that there is a server to reach it with. Nothing is written. */
  static async prepare(
    session: Session,
    app: string,
    sources: readonly string[],
    input: MomentInput,
  ): Promise<{ readonly moment: MomentRestore; readonly indexed: IndexedRepository }> {
    const { snapshots } = await listSnapshots(session.repository);
    const indexed = await session.repository.loadIndex();
    const { target, timeline } = input;
    const request = { target, app, ...(timeline === undefined ? {} : { timeline }) };
    const source = await databaseAmong(indexed, pointsOfApp(snapshots, app), sources);
    const plan = await planMoment(session, indexed, snapshots, {
      ...request,
      ...(source === undefined ? {} : { source }),
    });
    const reachable = notAfter(pointsOfApp(snapshots, app), plan);
    const newest = await newestOf(indexed, reachable, plan);
    const { name: database } = plan.base.database;
    const files = await filesAmong(indexed, newest, reachable, { database, sources });
    tellParts(session, files, { newest, candidates: reachable, asked: sources });
    const programs = input.replay ? await findServer(plan, input.programs) : undefined;
    return { moment: new MomentRestore(session, input, { plan, files, newest, programs }), indexed };
  }

  get source(): string {
    return this.plan.base.database.name;
  }

  /** The newest point that gives something beside the database; stands for the restore where there is none. */
  get filesPoint(): OpenedPoint {
    return this.files.parts[0]?.point ?? this.#newest;
  }

  /** All that comes back, and from where; the database last. */
  get everything(): Assembly {
    const { point } = this.plan.base;
    return new Assembly([...this.files.parts, partOf(point, [this.source])]);
  }

  /** Distinguishes unfinished restores: with the point of the database it says what is in the target. */
  get identity(): string {
    const { parts } = this.files;
    return `files of ${parts.length === 0 ? this.#newest.stored.id : parts.map(({ point }) => point.stored.id).join(', ')}`;
  }

  /** Bytes that the log may take beside the copy while it is replayed. */
  get roomBytes(): number {
    return logRoom(this.plan);
  }

  /** What is done around the restore of the data directory. */
  around(dataDir: string, isBeside: boolean): { before: () => Promise<void>; after: () => Promise<void> } {
    return {
      before: () => prepareDataDirectory(dataDir),
      after: () => this.#recover(dataDir, isBeside),
    };
  }

  outcome(): MomentOutcome {
    const { plan } = this;
    const done = this.#replayed;
    return {
      requested: this.#input.requested,
      replayed: done !== undefined,
      reached_lsn: done?.reached.lsn ?? null,
      reached_time: done?.reached.commitTime ?? null,
      timeline: plan.timeline,
      base: plan.base.point.stored.id,
      wal_bytes: done?.walBytes ?? 0,
      wal_segments: done?.walSegments ?? 0,
      replay_s: done?.seconds ?? 0,
    };
  }

  /** Null when only the database comes back. */
  filesFrom(): FilesFrom | null {
    if (this.files.parts.length === 0) return null;
    const { stored } = this.filesPoint;
    const reached = this.#replayed?.reached.commitTime ?? null;
    const time =
      this.plan.time === undefined ? (reached === null ? NaN : Date.parse(reached)) : Number(this.plan.time / 1000n);
    const seconds = (time - timeOf(stored)) / 1000;
    const { time: text } = stored.snapshot;
    return {
      point: stored.id,
      short_id: shortId(stored.id),
      time: text,
      seconds_before: Number.isNaN(seconds) ? null : seconds,
    };
  }

  async #recover(dataDir: string, isBeside: boolean): Promise<void> {
    const { configFile, account } = this.#input;
    if (this.#programs === undefined) {
      const command = shellCommand(['holdfast', '--config', configFile, 'wal', 'fetch']).replaceAll('%', '%%');
      return leaveToBeReplayed(dataDir, this.plan, `${command} %f %p`);
    }
    const copy = { plan: this.plan, dataDir, programs: this.#programs, account: serverAccount(account), isBeside };
    this.#replayed = await replayCopy(this.#session, copy);
  }
}

/** The sources that are asked for, else all, without the database of the moment: its point is another. Throws `source_unknown`. */
async function filesAmong(
  indexed: IndexedRepository,
  newest: OpenedPoint,
  reachable: readonly StoredSnapshot[],
  { database, sources }: { readonly database: string; readonly sources: readonly string[] },
): Promise<Assembly> {
  const named = sources.filter((name) => name !== database);
  if (sources.length > 0 && named.length === 0) return new Assembly([]);
  const all = await assemble(indexed, newest, reachable, named);
  return all.without((name) => name === database);
}

async function findServer({ base }: MomentPlan, search: ProgramSearch): Promise<ServerPrograms> {
  try {
    return await programsFor(majorOf(base.database.record.facts), search);
  } catch (error) {
    if (!isFailure(error, 'postgres_program_missing')) throw error;
    throw new Failure(error.code, error.message, {
      hint: `${error.hint} Or restore with --no-replay and let the server that will use the directory replay the log.`,
      cause: error,
    });
  }
}

/** The database that is asked for with --source, where several sources are named. Throws `usage` when none of them is one. */
async function databaseAmong(
  indexed: IndexedRepository,
  points: readonly StoredSnapshot[],
  sources: readonly string[],
): Promise<string | undefined> {
  if (sources.length === 0 || points.length === 0) return undefined;
  const databases: string[] = [];
  for (const name of sources) {
    const newest = points.findLast((stored) => tagsOf(stored)?.sources.includes(name));
    const manifest = newest && (await openPoint(indexed, newest)).manifest;
    if (newest !== undefined && manifest === undefined) return name; // planning says what cannot be read
    if (manifest?.sources[name]?.type === 'postgres') databases.push(name);
  }
  if (databases.length === 1) return databases[0];
  throw new Failure('usage', 'A moment is one of a database: name it, and only one, with --source.');
}

function notAfter(points: readonly StoredSnapshot[], { time }: MomentPlan): readonly StoredSnapshot[] {
  return points.filter((stored) => time === undefined || BigInt(timeOf(stored)) * 1000n <= time);
}

async function newestOf(
  indexed: IndexedRepository,
  reachable: readonly StoredSnapshot[],
  { base }: MomentPlan,
): Promise<OpenedPoint> {
  const found = reachable.at(-1);
  return found === undefined || found.id === base.point.stored.id ? base.point : openPoint(indexed, found);
}
