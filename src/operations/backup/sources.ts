/**
 * Reads the sources of an app in the order that keeps a point whole: files first, then the databases, then the files again.
 *
 * A row of the copied database may name a file that is deleted a moment later, or one that was created a moment ago. The second reading
 * finds the new ones, and what only the first one saw is kept. Without a database one reading is enough.
 */
import { isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import type { Progress } from '../../base/progress.ts';
import type { FilesSourceSettings, PostgresSourceSettings, SourceSettings } from '../../config/settings.ts';
import type { SourceRecord } from '../../recovery/manifest.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { PointWriter } from '../../repository/point-writer.ts';
import { type EarlierTrees, LocalTrees, type TreeSource } from '../../repository/trees.ts';
import { configSource } from '../../sources/config-source.ts';
import type { LooseEntry, Meta, SourceNotice } from '../../sources/entry.ts';
import { openXattrReader, rootDirectory, walkFiles } from '../../sources/files-source.ts';
import { openPostgresSource, type PostgresSource } from '../../sources/postgres-source.ts';
import { archiveLoose } from '../archive/archive-loose.ts';
import { archiveTree } from '../archive/archive-tree.ts';
import { type ArchiveContext, newCounts, type SourceCounts } from '../archive/context.ts';
import { FileMerger } from '../archive/file-merger.ts';
import { syntheticMeta } from '../archive/nodes.ts';
import { compareFull, type WholeFiles } from './compare-full.ts';
import type { EarlierDatabase } from './earlier-database.ts';

export interface ReadSourcesInput {
  readonly sources: readonly SourceSettings[];
  readonly writer: PointWriter;
  /** The trees of the sources in the newest earlier point that has them, and how to read them. */
  readonly previous: ReadonlyMap<string, Id>;
  readonly trees: EarlierTrees;
  readonly indexed: IndexedRepository;
  /** What earlier points know of a database. */
  readonly earlierDatabase: (source: string) => Promise<EarlierDatabase>;
  /** Databases are read whole. */
  readonly full: boolean;
  readonly timeMs: number;
  readonly label: string;
  /** A query for the applied migrations, and the source it runs in. */
  readonly migrations?: { readonly query: string; readonly database: string };
  readonly signal: AbortSignal;
  readonly progress: Progress;
  readonly notify: (source: string, notice: SourceNotice) => void;
}

export interface ReadSource {
  readonly name: string;
  readonly tree: Id;
  readonly meta: Meta;
  readonly counts: SourceCounts;
  readonly record: SourceRecord;
  readonly milliseconds: number;
}

export interface ReadSources extends Disposable {
  readonly sources: readonly ReadSource[];
  /** Reads trees of this run too, although no storage shows them yet. */
  readonly trees: TreeSource;
}

export async function readSources(input: ReadSourcesInput, monotonic: () => number): Promise<ReadSources> {
  const local = new LocalTrees();
  try {
    const reader = new SourcesReader(input, local, monotonic);
    return { sources: await reader.run(), trees: reader.trees, [Symbol.dispose]: () => local[Symbol.dispose]() };
  } catch (error) {
    local[Symbol.dispose]();
    throw error;
  }
}

class SourcesReader {
  readonly trees: EarlierTrees;
  readonly #input: ReadSourcesInput;
  readonly #local: LocalTrees;
  readonly #monotonic: () => number;

  constructor(input: ReadSourcesInput, local: LocalTrees, monotonic: () => number) {
    this.#input = input;
    this.#local = local;
    this.#monotonic = monotonic;
    const holder = (id: Id) => (local.has(id) ? local : input.trees);
    this.trees = { streamTree: (id) => holder(id).streamTree(id), walkTree: (id) => holder(id).walkTree(id) };
  }

  async run(): Promise<ReadSource[]> {
    const { sources } = this.#input;
    const databases = sources.filter((source) => source.type === 'postgres');
    const directories = sources.filter((source) => source.type === 'files');
    const read: ReadSource[] = [];
    if (databases.length === 0) {
      for (const source of directories) read.push(await this.#files(source));
    } else {
      const first: ReadSource[] = [];
      for (const source of directories)
        first.push(await this.#files(source, { title: `${source.name}: files, first reading` }));
      for (const source of databases) read.push(await this.#database(source));
      for (const [i, source] of directories.entries())
        read.push(await this.#files(source, { second: first[i] as ReadSource }));
    }
    for (const source of sources) if (source.type === 'config') read.push(await this.#config(source));
    return read;
  }

  async #files(source: FilesSourceSettings, pass: { title?: string; second?: ReadSource } = {}): Promise<ReadSource> {
    const { previous, notify, signal } = this.#input;
    const { second } = pass;
    const { context, timed } = this.#begin(
      source.name,
      pass.title ?? `${source.name}: files`,
      second ? `${source.name}:again` : source.name,
    );
    const meta = await rootDirectory(source.path);
    await using xattrs = await openXattrReader((notice) => notify(source.name, notice));
    const entries = walkFiles({
      root: source.path,
      exclude: source.exclude,
      oneFileSystem: source.oneFileSystem,
      excludeCaches: source.excludeCaches,
      signal,
      xattrs,
      notify: (notice) => notify(source.name, notice),
    });
    const earlier = second?.tree ?? previous.get(source.name);
    const tree = await archiveTree(entries, meta, context, {
      ...(earlier === undefined ? {} : { previous: { tree: earlier, trees: this.trees } }),
      ...(second === undefined ? {} : { keepVanished: true }),
      // Only a second reading, and the rows that name files, read the trees of this run again; both need a database.
      ...(this.#input.sources.some(({ type }) => type === 'postgres') ? { local: this.#local } : {}),
    });
    const counts = second === undefined ? context.counts : merged(second.counts, context.counts);
    const milliseconds = timed() + (second?.milliseconds ?? 0);
    return {
      name: source.name,
      tree,
      meta,
      counts,
      milliseconds,
      record: { type: 'files', path: source.path, totals: totals(counts, tree) },
    };
  }

  async #database(source: PostgresSourceSettings): Promise<ReadSource> {
    const { signal, earlierDatabase } = this.#input;
    const earlier = await earlierDatabase(source.name);
    const cluster = this.#cluster(source, earlier);
    try {
      return await this.#readDatabase(source, cluster, earlier);
    } catch (error) {
      if (signal.aborted || !cluster.isIncremental || !isFailure(error, ...UNUSABLE)) throw error;
      // Everything is still there to be read.
      const reason = `not incremental: ${error.message}`;
      this.#input.notify(source.name, { kind: 'note', item: 'full backup', reason });
      const full = { base: { reason, expected: true as const }, files: earlier.files };
      return await this.#readDatabase(source, this.#cluster(source, full), full);
    }
  }

  #cluster(source: PostgresSourceSettings, { base }: EarlierDatabase): PostgresSource {
    const { notify, signal, progress, label, timeMs, full, migrations } = this.#input;
    const query = migrations?.database === source.name ? migrations.query : undefined;
    return openPostgresSource({
      url: source.url,
      label,
      signal,
      progress,
      step: source.name,
      notify: (notice) => notify(source.name, notice),
      ...(query === undefined ? {} : { migrations: query }),
      base,
      full,
      now: timeMs,
    });
  }

  async #readDatabase(
    source: PostgresSourceSettings,
    cluster: PostgresSource,
    earlier: EarlierDatabase,
  ): Promise<ReadSource> {
    const { timeMs, writer, indexed } = this.#input;
    const { context, timed } = this.#begin(source.name, `${source.name}: PostgreSQL`, source.name);
    const owner = { uid: 0, gid: 0 };
    const { files } = earlier;
    const merger = new FileMerger(writer, indexed, files);
    const whole: WholeFiles = new Map();
    const tree = await archiveLoose(
      withOwner(cluster.entries(), owner),
      timeMs,
      { ...context, onAdvance: () => {} },
      { ...this.#previously(source.name), files, merger, onWhole: (path, file) => whole.set(path, file) },
    );
    const facts = await cluster.facts();
    const comparison = await compareFull(cluster, earlier, whole, context.notify, this.#input.signal);
    const backup = comparison === undefined ? facts.backup : { ...facts.backup, comparison };
    const { counts } = context;
    return {
      name: source.name,
      tree,
      meta: { ...syntheticMeta(timeMs, 0o700), ...owner },
      counts,
      milliseconds: timed(),
      record: { type: 'postgres', totals: totals(counts, tree), facts: { ...facts, backup } },
    };
  }

  async #config(source: Extract<SourceSettings, { type: 'config' }>): Promise<ReadSource> {
    const { notify, timeMs, signal } = this.#input;
    const { context, timed } = this.#begin(source.name, `${source.name}: configuration`, source.name);
    const entries = configSource({
      paths: source.paths,
      base: source.base,
      secrets: source.secrets,
      signal,
      notify: (notice) => notify(source.name, notice),
    });
    const tree = await archiveLoose(entries, timeMs, context, { ...this.#previously(source.name), files: new Map() });
    const { counts } = context;
    return {
      name: source.name,
      tree,
      meta: syntheticMeta(timeMs, 0o700),
      counts,
      milliseconds: timed(),
      record: { type: 'config', paths: source.paths, totals: totals(counts, tree) },
    };
  }

  #previously(source: string) {
    return { tree: this.#input.previous.get(source), trees: this.trees };
  }

  #begin(name: string, title: string, step: string): { context: ArchiveContext; timed: () => number } {
    const { writer, progress, notify } = this.#input;
    const counts = newCounts();
    const start = this.#monotonic();
    progress({ type: 'step', step, title });
    const context: ArchiveContext = {
      writer,
      counts,
      notify: (notice) => notify(name, notice),
      onAdvance: () => progress({ type: 'advance', step, bytes: counts.bytes, items: counts.files }),
    };
    const timed = (): number => {
      context.onAdvance();
      progress({ type: 'done', step, outcome: 'done' });
      return this.#monotonic() - start;
    };
    return { context, timed };
  }
}

/** What says that the earlier copy cannot be had, or does not go with what the server sent; reading everything needs neither. */
const UNUSABLE = [
  'data_missing',
  'data_damaged',
  'object_missing',
  'storage_unreachable',
  'storage_refused',
  'storage_misbehaves',
  'postgres_protocol',
] as const;

/** Notes who owns the files as they pass: the data directory itself belongs to the same account, or no server can start from it. */
async function* withOwner(
  entries: AsyncIterable<LooseEntry>,
  owner: { uid: number; gid: number },
): AsyncGenerator<LooseEntry> {
  for await (const entry of entries) {
    if (entry.meta.uid !== 0) Object.assign(owner, { uid: entry.meta.uid, gid: entry.meta.gid });
    yield entry;
  }
}

function totals(counts: SourceCounts, tree: Id): { files: number; directories: number; bytes: number; tree: string } {
  return { files: counts.files, directories: counts.directories, bytes: counts.bytes, tree };
}

/** What two readings of one source amount to: the state of the second, the changes of both. */
function merged(first: SourceCounts, second: SourceCounts): SourceCounts {
  const filesNew = first.filesNew + second.filesNew;
  const filesChanged = first.filesChanged + second.filesChanged;
  return {
    ...second,
    filesNew,
    filesChanged,
    filesUnmodified: Math.max(0, second.files - filesNew - filesChanged),
    dirsNew: first.dirsNew + second.dirsNew,
    dirsChanged: first.dirsChanged + second.dirsChanged,
    dirsUnmodified: Math.min(first.dirsUnmodified, second.dirsUnmodified),
    bytesRead: first.bytesRead + second.bytesRead,
  };
}
