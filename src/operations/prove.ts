/**
 * Proves a point, or a moment, by doing what a disaster would ask for: restored from one storage alone, started, looked at from every side,
 * and thrown away. The clock runs from the first request to the storage. What came of it is kept with the point, as a report and as its level.
 */
import { Failure, isFailure } from '../base/failure.ts';
import { shortId } from '../base/ids.ts';
import { formatUtcAndLocal } from '../base/relative-time.ts';
import type { AppSettings } from '../config/settings.ts';
import type { ProgramSearch } from '../postgres/programs.ts';
import type { MomentTarget } from '../recovery/moment.ts';
import { type OpenedPoint, openPoint } from '../recovery/point.ts';
import { openProofPlace } from '../recovery/prove-files.ts';
import { lockForReading } from '../recovery/shared-lock.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { recordProofs } from '../repository/meta-proofs.ts';
import { readReports, recordReport } from '../repository/meta-reports.ts';
import { listSnapshots, pickSnapshot, type StoredSnapshot, timeOf } from '../repository/snapshots.ts';
import { bestEffort } from './best-effort.ts';
import { pointsOf, tagsOf } from './points.ts';
import { checkEverything } from './prove/checks.ts';
import { type Beginning, composeFailure, composeReport, type Ending } from './prove/compose.ts';
import { type DatabaseCopy, openCopies } from './prove/copies.ts';
import { pointAt, restoreFilesOf } from './prove/files.ts';
import type { ProofReport } from './prove/report.ts';
import { Stopwatch } from './prove/stopwatch.ts';
import { chooseStorage, onlyStorage } from './prove/storage.ts';
import { type Circumstances, judge, notShown } from './prove/verdict.ts';
import type { Session } from './session.ts';

export type { ProofReport } from './prove/report.ts';
export { isEnvironmentOnly } from './prove/verdict.ts';

export interface ProveInput {
  readonly app: AppSettings;
  /** The postgres sources of the app; needed for a moment, a point tells its own. */
  readonly databases: readonly string[];
  /** First digits of a point's id, or `latest`; a moment as it was asked for, and what it means. */
  readonly what:
    | { readonly kind: 'point'; readonly point: string }
    | { readonly kind: 'moment'; readonly target: MomentTarget; readonly asked: string };
  /** Restore some of the files rather than all. */
  readonly sample: boolean;
  /** Read from this one, whoever's turn it is. */
  readonly storage?: string;
  /** Where the copy is made; default: the machine's directory for temporary files. */
  readonly directory?: string;
  /** The longest time for one query, and for one command, in milliseconds. */
  readonly limitMs: number;
  readonly programs: ProgramSearch;
  readonly account?: string;
  /** What the app's commands inherit. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly by: { readonly hostname: string; readonly username: string };
}

/** Throws what restoring throws, after the report of it was kept; what checks find is in the report. */
export async function prove(session: Session, input: ProveInput): Promise<ProofReport> {
  const { repository, clock } = session;
  const watch = new Stopwatch(clock);
  const begun = clock.now();
  const point = await pickPoint(session, input);
  const reports = await readReports(repository, input.app.name);
  const { name, storages } = chooseStorage(repository, point, reports, input.storage);
  const beginning: Beginning = {
    app: input.app.name,
    begun,
    by: `${input.by.username}@${input.by.hostname}`,
    storage: name,
    storages,
    rtoObjectiveMs: input.app.objectives.rto,
    watch,
  };
  watch.take('choose the storage', watch.elapsed);
  const proving = new Proving({ ...session, repository: onlyStorage(repository, name) }, input, beginning);
  const report = await proving.run(point).catch(async (error: unknown) => {
    if (isWorthKeeping(session, error)) await remember(session, await proving.failed(error));
    throw error;
  });
  await remember(session, report);
  return report;
}

async function pickPoint(session: Session, { app, what }: ProveInput): Promise<StoredSnapshot | undefined> {
  if (what.kind === 'moment') return undefined;
  const points = pointsOf(await listSnapshots(session.repository), app.name);
  const picked = pickSnapshot(points, what.point);
  return what.point === 'latest' ? newestWithDatabases(session, app, points, picked) : picked;
}

/** The newest point may be one of the files alone. To prove that it comes back would say nothing about the database. */
function newestWithDatabases(
  { progress }: Session,
  { databases }: AppSettings,
  points: readonly StoredSnapshot[],
  newest: StoredSnapshot,
): StoredSnapshot {
  const lacking = (point: StoredSnapshot) => databases.filter(({ name }) => !tagsOf(point)?.sources.includes(name));
  const found = points.findLast((point) => lacking(point).length === 0);
  if (found === undefined || found === newest) return newest;
  const missing = lacking(newest).map(({ name }) => name);
  const instead = `${shortId(found.id)} of ${formatUtcAndLocal(timeOf(found))}`;
  progress({
    type: 'warning',
    message: `The newest point ${shortId(newest.id)} does not hold ${missing.join(', ')}: proven is ${instead}, the newest that does.`,
    hint: `Make a point of the whole app with "holdfast backup". For that one alone: holdfast prove ${shortId(newest.id)}`,
  });
  return found;
}

class Proving {
  readonly #world: Session;
  readonly #input: ProveInput;
  readonly #beginning: Beginning;
  /** The base of a moment is known once it was found. */
  #point: StoredSnapshot | undefined;
  #moment: ProofReport['moment'] = null;

  constructor(world: Session, input: ProveInput, beginning: Beginning) {
    this.#world = world;
    this.#input = input;
    this.#beginning = beginning;
  }

  async run(chosen: StoredSnapshot | undefined): Promise<ProofReport> {
    const { watch } = this.#beginning;
    this.#point = chosen;
    await using _lock = await lockForReading(this.#world);
    const parts = new AsyncDisposableStack();
    let ending: Ending;
    try {
      ending = await this.#restoreAndCheck(parts);
    } finally {
      await watch.time('drop the copy', () => parts.disposeAsync());
    }
    return composeReport(this.#beginning, this.#point, ending, this.#world.clock.now());
  }

  failed(error: unknown): Promise<ProofReport> {
    return composeFailure(this.#beginning, this.#point, this.#moment, error, this.#world.clock.now());
  }

  async #restoreAndCheck(parts: AsyncDisposableStack): Promise<Ending> {
    const { app, sample, limitMs, environment } = this.#input;
    const { watch, storages } = this.#beginning;
    const { indexed, points, opened } = await watch.time('read the index', () => this.#open());
    const copies = await this.#openCopies(opened, parts);
    const directory = copies[0]?.sandbox.directory ?? (await this.#ownPlace(parts));
    const filesPoint = opened ?? (await this.#filesPoint(indexed, points, copies));
    const files =
      filesPoint &&
      (await watch.time('restore the files', () =>
        restoreFilesOf(this.#world, indexed, filesPoint, { target: directory, sample }),
      ));
    const rto = watch.elapsed;
    const isMoment = opened === undefined;
    const request = { app, copies, files, directory, isMoment, limitMs, environment };
    const checked = await watch.time('check everything', () => checkEverything(this.#world, indexed, request));
    const circumstances: Circumstances = {
      hasDatabase: copies.length > 0,
      isMoment,
      sample: files?.sample ?? null,
      storages,
      ownChecks: app.proof.assertions.length + app.proof.commands.length,
    };
    return {
      moment: this.#moment,
      sample: circumstances.sample,
      rto_seconds: rto,
      checks: checked.findings,
      counts: checked.counts,
      postgres: checked.postgres,
      not_shown: notShown(circumstances, checked.findings),
      ...judge(checked.findings, circumstances),
    };
  }

  /** `opened` is undefined for a moment. */
  async #open(): Promise<{ indexed: IndexedRepository; points: StoredSnapshot[]; opened: OpenedPoint | undefined }> {
    const points = pointsOf(await listSnapshots(this.#world.repository), this.#input.app.name);
    const indexed = await this.#world.repository.loadIndex();
    const stored = points.find(({ id }) => id === this.#point?.id);
    if (this.#point !== undefined && stored === undefined)
      throw new Failure('data_damaged', `The storage ${this.#beginning.storage} does not give the point whole.`);
    const opened = stored && (await openPoint(indexed, stored));
    if (opened !== undefined && opened.manifest === undefined)
      throw new Failure('data_damaged', `Point ${shortId(opened.stored.id)} has no manifest that can be read.`);
    return { indexed, points, opened };
  }

  async #openCopies(opened: OpenedPoint | undefined, parts: AsyncDisposableStack): Promise<DatabaseCopy[]> {
    const { app, databases, what, directory, programs, account } = this.#input;
    const target = what.kind === 'moment' ? what.target : ({ kind: 'point', point: opened!.stored.id } as const);
    const sources = opened === undefined ? databases : databasesOf(opened);
    const request = { app: app.name, target, sources, directory, programs, account };
    const copies = await openCopies(this.#world, request, this.#beginning.watch, parts);
    this.#point ??= copies[0]?.sandbox.point.stored;
    return copies;
  }

  async #ownPlace(parts: AsyncDisposableStack): Promise<string> {
    const { directory, account } = this.#input;
    return parts.use(await openProofPlace(this.#world, { directory, account })).directory;
  }

  /** Of a moment: the newest point that is not newer. */
  async #filesPoint(
    indexed: IndexedRepository,
    points: readonly StoredSnapshot[],
    [first]: readonly DatabaseCopy[],
  ): Promise<OpenedPoint | undefined> {
    if (first === undefined || this.#input.what.kind !== 'moment') return undefined;
    const { reached, point } = first.sandbox;
    const time = reached.commitTime ?? point.stored.snapshot.time;
    const found = (await pointAt(indexed, points, Date.parse(time))) ?? point;
    this.#moment = {
      asked: this.#input.what.asked,
      reached_lsn: reached.lsn,
      reached_time: reached.commitTime,
      files_point: found.stored.id,
    };
    return found;
  }
}

function databasesOf({ manifest }: OpenedPoint): string[] {
  return Object.entries(manifest?.sources ?? {}).flatMap(([name, { type }]) => (type === 'postgres' ? [name] : []));
}

/** An interruption or a wrong command line says nothing about the point. */
function isWorthKeeping({ signal }: Session, error: unknown): boolean {
  return !signal.aborted && !isFailure(error, 'interrupted', 'usage', 'locked');
}

/** The report first: a level without its report would be a claim without its reason. */
async function remember(session: Session, report: ProofReport): Promise<void> {
  const { id, app, point, storage, level } = report;
  if (point === null || storage === null) return;
  const { repository } = session;
  await bestEffort(session, 'The report of this proof could not be kept', async () => {
    const stored = { id, app, storage, level, report: { ...report } };
    await recordReport(repository, { ...stored, point: point as StoredSnapshot['id'] });
    if (level !== null) await recordProofs(repository, [{ level, points: [point as StoredSnapshot['id']] }]);
  });
}
