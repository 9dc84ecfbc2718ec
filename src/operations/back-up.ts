/** Makes a restore point of an app: everything it reads becomes visible at once, by one snapshot, on every storage that holds all of it. */
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { type Id, shortId } from '../base/ids.ts';
import type { AppSettings, PackingSettings, SourceSettings } from '../config/settings.ts';
import type { Manifest, ReferenceCheck } from '../recovery/manifest.ts';
import { distrustDamaged } from '../repository/distrust.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { KnownContent } from '../repository/known-content.ts';
import { type CommittedPoint, PointWriter } from '../repository/point-writer.ts';
import type { LostReplica, Replica } from '../repository/replicas.ts';
import { listSnapshots, type StoredSnapshot, timeOf } from '../repository/snapshots.ts';
import { lockUsable } from '../repository/usable-storages.ts';
import type { SourceNotice } from '../sources/entry.ts';
import { prepareScan } from '../sources/files-source.ts';
import { collectMachineFacts } from '../sources/machine-facts.ts';
import { earlierDatabase } from './backup/earlier-database.ts';
import { madeBefore, outcomeOf } from './backup/made-before.ts';
import { Notices } from './backup/notices.ts';
import { type BackUpOutcome, copiesOf, interruptedBackup, reportSource } from './backup/outcome.ts';
import { type RunClock, runClock } from './backup/point-time.ts';
import { previousTrees } from './backup/previous.ts';
import { checkReferences } from './backup/references.ts';
import { buildSnapshot, storeRoot } from './backup/snapshot.ts';
import { type ReadSource, type ReadSources, readSources } from './backup/sources.ts';
import { withHooks } from './hooks.ts';
import { pointsOf } from './points.ts';
import { runbookPages } from './runbook/pages.ts';
import type { Session } from './session.ts';

export type { BackUpOutcome } from './backup/outcome.ts';

export interface BackUpInput {
  readonly app: AppSettings;
  /** The sources to read: all of the app, or some. */
  readonly sources: readonly SourceSettings[];
  /** The others that the app has. */
  readonly otherSources: readonly string[];
  readonly packing: PackingSettings;
  /** How many storages must hold all of the point. */
  readonly requiredCopies: number;
  readonly label?: string;
  readonly reason?: string;
  /** Databases are read whole, also where reading what changed would do, and everything read is hashed. */
  readonly full?: boolean;
  /** Where this machine may remember what it hashed; absent where there is no place. */
  readonly cacheDirectory?: string;
  readonly programVersion: string;
  readonly machine: { readonly hostname: string; readonly username: string };
}

/** Throws `interrupted` with the state that is left, `storages_failed` when no storage has the point, and what fails in sources and hooks. */
export async function backUp(session: Session, input: BackUpInput): Promise<BackUpOutcome> {
  const { app } = input;
  const { signal, progress } = session;
  if (input.sources.length === 0) throw new Failure('source_unknown', `The app "${app.name}" has no sources.`);
  const hooks = { before: app.hooks.beforeBackup, after: app.hooks.afterBackup };
  const achieved = (made: BackUpOutcome) => `The restore point ${made.short_id} was made.`;
  const options = { directory: app.directory, signal, progress, achieved };
  return withHooks('Backup', hooks, options, () => backUpLocked(session, input));
}

async function backUpLocked(session: Session, input: BackUpInput): Promise<BackUpOutcome> {
  try {
    if (input.sources.some(({ type }) => type === 'files')) prepareScan();
    const { repository, locks } = await lockUsable(session.repository);
    await using held = locks;
    tellLost(session, repository.lost);
    const points = pointsOf(await listSnapshots(repository), input.app.name);
    const indexed = await repository.loadIndex();
    await distrustDamaged(indexed);
    const { supervision } = session;
    const already = madeBefore(points, supervision?.run);
    if (already !== undefined) {
      session.progress({
        type: 'note',
        message: `This run made the point ${shortId(already.id)} before it was cut off.`,
      });
      return await outcomeOf(indexed, already, { app: input.app.name, requiredCopies: input.requiredCopies });
    }
    const parent = points.at(-1);
    const { cacheDirectory } = input;
    await using known =
      cacheDirectory === undefined || input.full ? undefined : await KnownContent.load(repository, cacheDirectory);
    await using writer = new PointWriter(indexed, {
      seal: { packSize: input.packing.packSize, compression: levelOf(input.packing.compression) },
      behind: parent === undefined ? [] : lacking(repository.replicas, parent),
      locks: held.locks,
      ...(supervision && { beforeVisible: () => supervision.permit('point') }),
      ...(known && { known }),
      signal: session.signal,
    });
    return await new BackUpRun({ ...session, repository }, input, indexed, writer, points).make();
  } catch (error) {
    if (session.signal.aborted && !isTold(error)) throw interruptedBackup(error);
    throw error;
  }
}

function isTold(error: unknown): boolean {
  return error instanceof Failure && error.code === 'interrupted' && error.hint !== undefined;
}

/** Storages that were lost only now; those lost on opening were told then. */
function tellLost({ repository, progress }: Session, lost: readonly LostReplica[]): void {
  for (const { name, failure } of lost) {
    if (repository.lost.some((known) => known.name === name)) continue;
    const { message, hint } = failure;
    progress({ type: 'warning', storage: name, message, ...(hint === undefined ? {} : { hint }) });
  }
}

/** One backup under way. */
class BackUpRun {
  readonly #session: Session;
  readonly #input: BackUpInput;
  readonly #indexed: IndexedRepository;
  readonly #writer: PointWriter;
  readonly #points: readonly StoredSnapshot[];
  readonly #clock: RunClock;
  readonly #startMs: number;
  readonly #startMonotonic: number;
  readonly #notices = new Notices();

  constructor(
    session: Session,
    input: BackUpInput,
    indexed: IndexedRepository,
    writer: PointWriter,
    points: readonly StoredSnapshot[],
  ) {
    this.#session = session;
    this.#input = input;
    this.#indexed = indexed;
    this.#writer = writer;
    this.#points = points;
    const newest = points.at(-1);
    this.#clock = runClock(session.clock, newest === undefined ? undefined : timeOf(newest));
    this.#startMs = this.#clock.now();
    this.#startMonotonic = session.clock.monotonic();
  }

  async make(): Promise<BackUpOutcome> {
    const { progress, signal } = this.#session;
    if (this.#clock.isFarBehind) this.#tellClock();
    using read = await this.#readSources();
    const endMs = this.#clock.now();
    const references = await this.#checkReferences(read);
    const manifest = await this.#manifest(read.sources, references, endMs);
    progress({ type: 'step', step: 'store', title: 'storing the point' });
    const { app } = this.#input;
    const content = { manifest, pages: runbookPages(app), sources: read.sources };
    const tree = await storeRoot(this.#writer, app.name, content, this.#startMs);
    const committed = await this.#commit(tree, read.sources, endMs);
    const outcome = this.#outcome(read.sources, manifest, committed);
    if (signal.aborted && outcome.copies < committed.copies.size) throw interruptedBackup(signal.reason, committed);
    progress({ type: 'done', step: 'store', outcome: 'done' });
    return outcome;
  }

  async #readSources(): Promise<ReadSources> {
    const { app, sources, label } = this.#input;
    const { signal, progress, clock } = this.#session;
    return readSources(
      {
        sources,
        writer: this.#writer,
        previous: await previousTrees(this.#indexed, this.#points, app.name, sources),
        trees: this.#indexed,
        indexed: this.#indexed,
        earlierDatabase: (source) => earlierDatabase(this.#indexed, this.#points, app.name, source),
        full: this.#input.full ?? false,
        timeMs: this.#startMs,
        label: `holdfast ${app.name}${label === undefined ? '' : ` ${label}`}`.slice(0, 200),
        ...(app.migrations === undefined ? {} : { migrations: app.migrations }),
        signal,
        progress,
        notify: (source, notice) => this.#notify(source, notice),
      },
      () => clock.monotonic(),
    );
  }

  async #checkReferences(read: ReadSources): Promise<ReferenceCheck[]> {
    const { app, sources } = this.#input;
    const { signal, progress } = this.#session;
    const checks: ReferenceCheck[] = [];
    for (const { query, source, database } of app.references) {
      const files = read.sources.find(({ name }) => name === source);
      const settings = sources.find(({ name }) => name === database);
      if (files === undefined || settings?.type !== 'postgres') continue;
      const reference = { query, source, url: settings.url };
      const check = await checkReferences(reference, files.tree, read.trees, signal).catch((error: unknown) => {
        signal.throwIfAborted();
        // the point is worth having even if nobody can tell what it lacks
        const reason = `could not be checked: ${error instanceof Error ? error.message : String(error)}`;
        this.#notify(database, { kind: 'unreadable', item: `references to ${source}`, reason });
        return undefined;
      });
      if (check === undefined) continue;
      checks.push(check);
      if (check.missing > 0) {
        const message = `${check.missing} of ${check.rows} rows name a file that "${source}" does not have.`;
        const hint = `For example: ${check.missingExamples.slice(0, 3).join(', ')}. More are listed by "holdfast show --json".`;
        progress({ type: 'warning', source, message, hint });
      }
    }
    return checks;
  }

  async #manifest(
    sources: readonly ReadSource[],
    references: readonly ReferenceCheck[],
    endMs: number,
  ): Promise<Manifest> {
    const { app, label, reason, otherSources } = this.#input;
    return {
      format: 1,
      app: app.name,
      time: new Date(endMs).toISOString(),
      ...(label === undefined ? {} : { label }),
      ...(reason === undefined ? {} : { reason }),
      machine: await collectMachineFacts(machineFactsOf(app)),
      sources: Object.fromEntries(sources.map(({ name, record }) => [name, record])),
      otherSources,
      references,
      notices: this.#notices.list(),
    };
  }

  #commit(tree: Id, sources: readonly ReadSource[], endMs: number): Promise<CommittedPoint> {
    const { app, label, programVersion, machine } = this.#input;
    const { newBlobs, newBytes, storedBytes } = this.#writer.pool.stats;
    const parent = this.#points.at(-1)?.id;
    return this.#writer.commit(
      buildSnapshot({
        app: app.name,
        ...(label === undefined ? {} : { label }),
        ...given('run', this.#session.supervision?.run),
        tree,
        ...(parent === undefined ? {} : { parent }),
        startMs: this.#startMs,
        endMs,
        ...machine,
        programVersion: `holdfast ${programVersion}`,
        sources,
        added: { blobs: newBlobs, bytes: newBytes, packedBytes: storedBytes },
      }),
    );
  }

  #outcome(sources: readonly ReadSource[], manifest: Manifest, committed: CommittedPoint): BackUpOutcome {
    const { app, label, requiredCopies } = this.#input;
    const { repository, clock } = this.#session;
    const { copies, storages } = copiesOf(committed, repository.lost);
    return {
      point: committed.id,
      short_id: shortId(committed.id),
      app: app.name,
      time: manifest.time,
      ...(label === undefined ? {} : { label }),
      sources: Object.fromEntries(sources.map((source) => [source.name, reportSource(source)])),
      bytes: sources.reduce((sum, { counts }) => sum + counts.bytes, 0),
      bytes_added: this.#writer.pool.stats.newBytes,
      bytes_stored: this.#writer.packBytes,
      storages,
      copies,
      copies_required: requiredCopies,
      notices: manifest.notices,
      references: manifest.references.map(({ missingExamples: _listed, ...counts }) => counts),
      partial: copies < requiredCopies || this.#notices.anyBad,
      duration_s: (clock.monotonic() - this.#startMonotonic) / 1000,
    };
  }

  #notify(source: string, notice: SourceNotice): void {
    if (!this.#notices.add({ ...notice, source })) return;
    const told = { source, item: notice.item, message: notice.reason };
    this.#session.progress({ type: 'warning', ...told, ...(notice.kind === 'masked' && { expected: true }) });
  }

  #tellClock(): void {
    const message = 'The newest restore point is more than a day ahead of the clock of this machine.';
    const hint = 'Set the clock. Until then "latest" may name the older of two points.';
    this.#session.progress({ type: 'warning', message, hint });
  }
}

/** Storages that lack the newest point of the app: what it rests on may be missing there. */
function lacking(replicas: readonly Replica[], parent: StoredSnapshot): Replica[] {
  return replicas.filter(({ bit }) => (parent.mask & bit) === 0);
}

/** The zstd level behind the configuration's word. */
function levelOf(compression: PackingSettings['compression']): number | 'auto' | 'off' {
  return compression === 'max' ? 19 : compression;
}

function machineFactsOf({
  application: { version, git },
}: BackUpInput['app']): Parameters<typeof collectMachineFacts>[0] {
  return { ...(version === undefined ? {} : { application: version }), ...(git === undefined ? {} : { git }) };
}
