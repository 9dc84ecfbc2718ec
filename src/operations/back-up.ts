/** Makes a restore point of an app: everything it reads becomes visible at once, by one snapshot, on every storage that holds all of it. */
import { Failure } from '../base/failure.ts';
import { type Id, shortId } from '../base/ids.ts';
import type { AppSettings, PackingSettings, SourceSettings } from '../config/settings.ts';
import type { Manifest, ReferenceCheck } from '../recovery/manifest.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import { type CommittedPoint, PointWriter } from '../repository/point-writer.ts';
import type { Replica } from '../repository/replicas.ts';
import { listSnapshots, type StoredSnapshot } from '../repository/snapshots.ts';
import type { SourceNotice } from '../sources/entry.ts';
import { collectMachineFacts } from '../sources/machine-facts.ts';
import { checkReferences } from './backup/references.ts';
import { buildSnapshot, storeRoot } from './backup/snapshot.ts';
import { type ReadSource, type ReadSources, readSources } from './backup/sources.ts';
import { runHook } from './hooks.ts';
import { pointsOf, tagsOf } from './points.ts';
import type { Session } from './session.ts';

export interface BackUpInput {
  readonly app: AppSettings;
  /** The sources to read: all of the app, or some. */
  readonly sources: readonly SourceSettings[];
  readonly packing: PackingSettings;
  /** How many storages must hold all of the point. */
  readonly requiredCopies: number;
  readonly label?: string;
  readonly reason?: string;
  readonly programVersion: string;
  readonly machine: { readonly hostname: string; readonly username: string };
}

export interface SourceReport {
  /** Bytes read from the source. */
  readonly bytes_read: number;
  readonly files_new: number;
  readonly files_changed: number;
  readonly files_unmodified: number;
  readonly duration_s: number;
}

export interface BackUpOutcome {
  readonly point: Id;
  readonly short_id: string;
  readonly app: string;
  /** RFC 3339, UTC. */
  readonly time: string;
  readonly label?: string;
  readonly sources: Readonly<Record<string, SourceReport>>;
  /** New plain bytes. */
  readonly bytes_added: number;
  /** What they take in each storage, compressed and encrypted. */
  readonly bytes_stored: number;
  /** By storage: `complete`, `behind`, or why it has no copy. */
  readonly storages: Readonly<Record<string, string>>;
  readonly copies: number;
  readonly copies_required: number;
  readonly notices: readonly (SourceNotice & { readonly source: string })[];
  /** Rows that name files, counted; the manifest lists missing ones. */
  readonly references: readonly Omit<ReferenceCheck, 'missingExamples'>[];
  /** Something could not be read, pages are damaged, or there are too few copies. */
  readonly partial: boolean;
  readonly duration_s: number;
}

/** A notice more is only counted: a source with a million unreadable files must not fill the memory or the manifest. */
const MAX_NOTICES = 10_000;

export async function backUp(session: Session, input: BackUpInput): Promise<BackUpOutcome> {
  const { app } = input;
  if (input.sources.length === 0) throw new Failure('source_unknown', `The app "${app.name}" has no sources.`);
  const hook = { directory: app.directory, signal: session.signal };
  if (app.hooks.beforeBackup) await runHook('beforeBackup', app.hooks.beforeBackup, hook);
  try {
    return await backUpLocked(session, input);
  } finally {
    if (app.hooks.afterBackup) await runHook('afterBackup', app.hooks.afterBackup, hook);
  }
}

async function backUpLocked(session: Session, input: BackUpInput): Promise<BackUpOutcome> {
  const { repository, clock } = session;
  const start = { ms: clock.now(), monotonic: clock.monotonic() };
  await using lock = await repository.lock(false);
  const signal = AbortSignal.any([session.signal, lock.lost]);
  const points = pointsOf(await listSnapshots(repository), input.app.name);
  const indexed = await repository.loadIndex();
  const parent = points.at(-1);
  await using writer = new PointWriter(indexed, {
    seal: { packSize: input.packing.packSize, compression: levelOf(input.packing.compression) },
    behind: parent === undefined ? [] : lacking(repository.replicas, parent),
    signal,
  });
  const run = new BackUpRun({ ...session, signal }, input, indexed, writer, start.ms);
  const { sources, manifest, committed, endMs } = await run.make(points);
  const notices = manifest.notices;
  const { copies, storages } = copiesOf(committed, repository.lost);
  return {
    point: committed.id,
    short_id: shortId(committed.id),
    app: input.app.name,
    time: new Date(endMs).toISOString(),
    ...(input.label === undefined ? {} : { label: input.label }),
    sources: Object.fromEntries(sources.map((source) => [source.name, report(source)])),
    bytes_added: writer.pool.stats.newBytes,
    bytes_stored: writer.packBytes,
    storages,
    copies,
    copies_required: input.requiredCopies,
    notices,
    references: manifest.references.map(({ missingExamples: _listed, ...counts }) => counts),
    partial: copies < input.requiredCopies || notices.some(({ kind }) => kind === 'unreadable' || kind === 'damaged'),
    duration_s: (clock.monotonic() - start.monotonic) / 1000,
  };
}

/** One backup under way. */
class BackUpRun {
  readonly #session: Session;
  readonly #input: BackUpInput;
  readonly #indexed: IndexedRepository;
  readonly #writer: PointWriter;
  readonly #startMs: number;
  readonly #notices: (SourceNotice & { source: string })[] = [];
  #unlisted = 0;

  constructor(session: Session, input: BackUpInput, indexed: IndexedRepository, writer: PointWriter, startMs: number) {
    this.#session = session;
    this.#input = input;
    this.#indexed = indexed;
    this.#writer = writer;
    this.#startMs = startMs;
  }

  async make(
    points: readonly StoredSnapshot[],
  ): Promise<{ sources: readonly ReadSource[]; manifest: Manifest; committed: CommittedPoint; endMs: number }> {
    const { clock, progress } = this.#session;
    using read = await this.#readSources(points);
    const endMs = clock.now();
    const references = await this.#checkReferences(read);
    const manifest = await this.#manifest(read.sources, references, endMs);
    progress({ type: 'step', step: 'store', title: 'storing the point' });
    const tree = await storeRoot(this.#writer, this.#input.app.name, manifest, read.sources, this.#startMs);
    const committed = await this.#commit(tree, read.sources, points.at(-1)?.id, endMs);
    progress({ type: 'done', step: 'store', outcome: 'done' });
    return { sources: read.sources, manifest, committed, endMs };
  }

  async #readSources(points: readonly StoredSnapshot[]): Promise<ReadSources> {
    const { app, sources, label } = this.#input;
    const { signal, progress, clock } = this.#session;
    const previous = await previousTrees(this.#indexed, points, app.name, sources);
    return readSources(
      {
        sources,
        writer: this.#writer,
        previous,
        trees: this.#indexed,
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
    const checks: ReferenceCheck[] = [];
    for (const { query, source, database } of app.references) {
      const files = read.sources.find(({ name }) => name === source);
      const settings = sources.find(({ name }) => name === database);
      if (files === undefined || settings?.type !== 'postgres') continue;
      const check = await checkReferences(
        { query, source, url: settings.url },
        files.tree,
        read.trees,
        this.#session.signal,
      );
      checks.push(check);
      if (check.missing > 0) {
        const message = `${check.missing} of ${check.rows} rows name a file that "${source}" does not have.`;
        const hint = `For example: ${check.missingExamples.slice(0, 3).join(', ')}. All are listed by "holdfast show".`;
        this.#session.progress({ type: 'warning', source, message, hint });
      }
    }
    return checks;
  }

  async #manifest(
    sources: readonly ReadSource[],
    references: readonly ReferenceCheck[],
    endMs: number,
  ): Promise<Manifest> {
    const { app, label, reason } = this.#input;
    if (this.#unlisted > 0) {
      const reasonText = `${this.#unlisted} more remarks are not listed`;
      this.#notices.push({ source: '', kind: 'unreadable', item: 'more', reason: reasonText });
    }
    return {
      format: 1,
      app: app.name,
      time: new Date(endMs).toISOString(),
      ...(label === undefined ? {} : { label }),
      ...(reason === undefined ? {} : { reason }),
      machine: await collectMachineFacts(app.application),
      sources: Object.fromEntries(sources.map(({ name, record }) => [name, record])),
      references,
      notices: this.#notices,
    };
  }

  #commit(tree: Id, sources: readonly ReadSource[], parent: Id | undefined, endMs: number): Promise<CommittedPoint> {
    const { app, label, programVersion, machine } = this.#input;
    const { newBlobs, newBytes, storedBytes } = this.#writer.pool.stats;
    return this.#writer.commit(
      buildSnapshot({
        app: app.name,
        ...(label === undefined ? {} : { label }),
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

  #notify(source: string, notice: SourceNotice): void {
    if (this.#notices.length < MAX_NOTICES) this.#notices.push({ ...notice, source });
    else this.#unlisted++;
    this.#session.progress({ type: 'warning', source, item: notice.item, message: notice.reason });
  }
}

/** Storages that lack the newest point of the app: what it rests on may be missing there. */
function lacking(replicas: readonly Replica[], parent: StoredSnapshot): Replica[] {
  return replicas.filter(({ bit }) => (parent.mask & bit) === 0);
}

/** For each source its tree in the newest point that has it. */
async function previousTrees(
  indexed: IndexedRepository,
  points: readonly StoredSnapshot[],
  app: string,
  sources: readonly SourceSettings[],
): Promise<Map<string, Id>> {
  const trees = new Map<string, Id>();
  const wanted = new Set(sources.filter(({ type }) => type === 'files').map(({ name }) => name));
  for (const point of points.toReversed()) {
    if (wanted.size === 0) break;
    if (!tagsOf(point)?.sources.some((name) => wanted.has(name))) continue;
    try {
      for (const [name, tree] of await sourceTrees(indexed, point, app)) {
        if (wanted.delete(name)) trees.set(name, tree);
      }
    } catch {
      // An earlier point that cannot be read only costs the reading of what it would have told unchanged; "check" reports it.
    }
  }
  return trees;
}

async function sourceTrees(indexed: IndexedRepository, point: StoredSnapshot, app: string): Promise<Map<string, Id>> {
  const root = await indexed.readTree(point.snapshot.tree);
  const directory = root.find(({ name }) => name.toString('utf8') === app)?.subtree;
  if (directory === undefined) return new Map();
  const nodes = await indexed.readTree(directory);
  return new Map(
    nodes.flatMap(({ name, subtree }) => (subtree === undefined ? [] : [[name.toString('utf8'), subtree] as const])),
  );
}

function copiesOf(
  committed: CommittedPoint,
  lost: Session['repository']['lost'],
): { copies: number; storages: Record<string, string> } {
  const storages: Record<string, string> = {};
  let copies = 0;
  for (const [name, copy] of committed.copies) {
    storages[name] = copy.state === 'failed' ? copy.failure.message : copy.state;
    if (copy.state === 'complete') copies++;
  }
  for (const { name, failure } of lost) storages[name] = failure.message;
  return { copies, storages };
}

function report({ counts, milliseconds }: ReadSource): SourceReport {
  return {
    bytes_read: counts.bytesRead,
    files_new: counts.filesNew,
    files_changed: counts.filesChanged,
    files_unmodified: counts.filesUnmodified,
    duration_s: milliseconds / 1000,
  };
}

/** The zstd level behind the configuration's word. */
function levelOf(compression: PackingSettings['compression']): number | 'auto' | 'off' {
  return compression === 'max' ? 19 : compression;
}
