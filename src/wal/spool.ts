/**
 * The durable local spool between the server and the storages: one file per segment, begun at the segment's first byte.
 *
 *     <spool>/lock           the process that works here
 *     <spool>/cluster.json   whose WAL this is: system identifier and segment size
 *     <spool>/state.json     how the stream is doing, for others to read
 *     <spool>/wal/<segment>  24 hexadecimal digits, as PostgreSQL names it
 *
 * Bytes are appended in order; `flush` makes them durable, and only then may they be acknowledged. Bytes that come again (a stream always
 * begins at a segment's start) must be the same as before: a server that sends others is not the one we followed.
 */
import { readdirSync, statSync } from 'node:fs';
import { chmod, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Clock, systemClock } from '../base/clock.ts';
import { Failure } from '../base/failure.ts';
import { makeDirectories, makeDirectoriesSync } from '../base/make-directories.ts';
import { formatLsn, type Lsn, parseSegmentName, segmentName, segmentStart } from '../postgres/lsn.ts';
import { type Cluster, readCluster, writeCluster } from './spool/cluster.ts';
import { SpoolLock } from './spool/lock.ts';
import { SegmentFile, spoolFailure, syncEntries } from './spool/segment-file.ts';

export interface SpoolOptions {
  readonly clock?: Clock;
  readonly signal?: AbortSignal;
}

/** What became of bytes that were handed over: the first `known` were here already, the next `written` are new, the rest has no room. */
export interface Appended {
  readonly known: number;
  readonly written: number;
}

export class Spool implements AsyncDisposable {
  readonly directory: string;
  readonly #lock: SpoolLock;
  readonly #files = new Map<string, SegmentFile>();
  #cluster: Cluster | undefined;
  #timeline = 0;
  #received: Lsn = 0n;
  #durable: Lsn = 0n;
  #bytes = 0;
  readonly #dirty = new Set<SegmentFile>();
  #entriesDirty = false;
  #flushing: Promise<void> | undefined;
  #flushAgain: Promise<void> | undefined;

  private constructor(directory: string, lock: SpoolLock) {
    this.directory = directory;
    this.#lock = lock;
  }

  /** Throws `locked` when another process works there. */
  static async open(directory: string, { clock = systemClock, signal }: SpoolOptions = {}): Promise<Spool> {
    try {
      await makeDirectories(join(directory, 'wal'), 0o700);
      await chmod(directory, 0o700);
    } catch (error) {
      throw spoolFailure(directory, error);
    }
    const lock = await SpoolLock.acquire(directory, clock, signal);
    try {
      const spool = new Spool(directory, lock);
      spool.#cluster = await readCluster(directory);
      spool.#find();
      return spool;
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Whose WAL is here; undefined in a new spool. */
  get cluster(): Cluster | undefined {
    return this.#cluster;
  }

  /** Bytes on disk. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The timeline that is received. */
  get timeline(): number {
    return this.#timeline;
  }

  /** The end of what was received on it. */
  get received(): Lsn {
    return this.#received;
  }

  /** The end of what would survive a power failure. */
  get durable(): Lsn {
    return this.#durable;
  }

  /** By timeline, then by position. */
  get files(): readonly SegmentFile[] {
    return [...this.#files.values()].sort((a, b) => a.timeline - b.timeline || (a.start < b.start ? -1 : 1));
  }

  /** From now on this is the spool of one cluster. Throws `wal_foreign` when it is another's. */
  async adopt(cluster: Cluster): Promise<void> {
    const known = this.#cluster;
    if (known === undefined) {
      await writeCluster(this.directory, cluster);
      this.#cluster = cluster;
      return;
    }
    if (known.systemIdentifier !== cluster.systemIdentifier) throw foreign(this.directory, known, cluster);
    if (known.segmentSize !== cluster.segmentSize) throw foreign(this.directory, known, cluster);
  }

  /** Goes on at `position` of a timeline; what is held of its segment must reach up to it, or nothing is. */
  begin(timeline: number, position: Lsn): void {
    this.#timeline = timeline;
    this.#received = position;
    this.#durable = position;
  }

  /** Takes bytes that begin at or before `received`. Throws `wal_diverged` when what is known already differs. */
  append(start: Lsn, bytes: Buffer): Appended {
    const known = Math.min(bytes.length, Number(this.#received - start));
    if (known < 0) throw new Failure('internal', 'WAL was handed to the spool with a hole.');
    if (known > 0) this.#compare(start, bytes.subarray(0, known));
    if (known === bytes.length) return { known, written: 0 };
    return { known, written: this.#write(bytes.subarray(known)) };
  }

  /** Makes everything that is received at this moment durable. Calls that come meanwhile share the next round. */
  flush(): Promise<void> {
    if (this.#flushing === undefined) {
      this.#flushing = this.#sync().finally(() => {
        this.#flushing = undefined;
      });
      return this.#flushing;
    }
    this.#flushAgain ??= this.#flushing.then(() => {
      this.#flushAgain = undefined;
      return this.flush();
    });
    return this.#flushAgain;
  }

  /** The bytes of a span that is held, at the beginning of `into` where that is given. Throws `spool_failed` when they are not. */
  async read(timeline: number, start: Lsn, end: Lsn, into?: Buffer): Promise<Buffer> {
    const path = this.#path(timeline, start);
    const length = Number(end - start);
    const bytes = into?.subarray(0, length) ?? Buffer.allocUnsafe(length);
    try {
      await using file = await open(path, 'r');
      const from = Number(start - this.#segmentStart(start));
      for (let done = 0; done < bytes.length; ) {
        const { bytesRead } = await file.read(bytes, done, bytes.length - done, from + done);
        if (bytesRead === 0) throw new Error(`ends before ${formatLsn(end)}`);
        done += bytesRead;
      }
      return bytes;
    } catch (error) {
      throw spoolFailure(path, error);
    }
  }

  /** Cuts what was found at opening, so that it ends at `position`; files after it go. */
  async cut(timeline: number, position: Lsn): Promise<void> {
    for (const file of this.files) {
      if (file.timeline !== timeline || file.end <= position) continue;
      if (file.start >= position) await this.remove(file);
      else {
        this.#bytes -= Number(file.end - position);
        file.cut(Number(position - file.start));
        this.#dirty.add(file);
      }
    }
  }

  async remove(file: SegmentFile): Promise<void> {
    this.#dirty.delete(file);
    this.#files.delete(file.path);
    this.#bytes -= file.size;
    file.discard();
    await rm(file.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#flushing?.catch(() => {});
    for (const file of this.#files.values()) file.close();
    await this.#lock[Symbol.asyncDispose]();
  }

  #find(): void {
    const directory = join(this.directory, 'wal');
    const { segmentSize } = this.#cluster ?? {};
    if (segmentSize === undefined) return;
    for (const name of readdirSync(directory)) {
      const parsed = parseSegmentName(name, segmentSize);
      const path = join(directory, name);
      const size = parsed === undefined ? 0 : statSync(path).size;
      if (parsed === undefined || size > segmentSize) continue;
      const file = new SegmentFile({ path, ...parsed, size });
      this.#files.set(path, file);
      this.#dirty.add(file);
      this.#bytes += size;
    }
    this.#entriesDirty = this.#files.size > 0;
  }

  #compare(start: Lsn, bytes: Buffer): void {
    const file = this.#files.get(this.#path(this.#timeline, start));
    if (file === undefined || file.start > start || file.end < start + BigInt(bytes.length)) {
      throw new Failure('internal', 'WAL came again that the spool does not hold.');
    }
    if (!file.holds(Number(start - file.start), bytes)) throw diverged(this.#timeline, start);
  }

  #write(bytes: Buffer): number {
    const path = this.#path(this.#timeline, this.#received);
    let file = this.#files.get(path);
    if (file === undefined) {
      file = this.#create(path);
      if (file === undefined) return 0;
    }
    const written = file.append(bytes);
    if (written > 0) this.#dirty.add(file);
    this.#received += BigInt(written);
    this.#bytes += written;
    return written;
  }

  #create(path: string): SegmentFile | undefined {
    const start = this.#segmentStart(this.#received);
    if (start !== this.#received) throw new Failure('internal', 'A segment of the spool does not begin at its start.');
    makeDirectoriesSync(join(this.directory, 'wal'), 0o700);
    const file = new SegmentFile({ path, timeline: this.#timeline, start, size: 0 });
    this.#files.set(path, file);
    this.#entriesDirty = true;
    return file;
  }

  async #sync(): Promise<void> {
    const timeline = this.#timeline;
    const target = this.#received;
    const dirty = [...this.#dirty];
    const isNew = this.#entriesDirty;
    this.#dirty.clear();
    this.#entriesDirty = false;
    for (const file of dirty) {
      await file.sync();
      if (file.path !== this.#path(timeline, target)) file.close();
    }
    if (isNew) await syncEntries(join(this.directory, 'wal'));
    if (timeline === this.#timeline && target > this.#durable) this.#durable = target;
  }

  #segmentStart(position: Lsn): Lsn {
    return segmentStart(position, this.#segmentSize);
  }

  get #segmentSize(): number {
    if (this.#cluster === undefined) throw new Failure('internal', 'The spool belongs to no cluster yet.');
    return this.#cluster.segmentSize;
  }

  #path(timeline: number, position: Lsn): string {
    return join(this.directory, 'wal', segmentName(timeline, position, this.#segmentSize));
  }
}

function foreign(directory: string, known: Cluster, found: Cluster): Failure {
  const what = known.systemIdentifier === found.systemIdentifier ? 'segments of another size' : 'another cluster';
  return new Failure(
    'wal_foreign',
    `The server is ${what}: its system identifier is ${found.systemIdentifier}, and ${directory} holds WAL of ${known.systemIdentifier}.`,
    {
      hint: 'Correct the URL of the source. If the cluster was replaced on purpose (pg_upgrade, a new initdb), set wal.spool to a new directory and run "holdfast backup".',
    },
  );
}

function diverged(timeline: number, start: Lsn): Failure {
  return new Failure(
    'wal_diverged',
    `The server sends other WAL than before at ${formatLsn(start)} of timeline ${timeline}.`,
    {
      hint: 'It is a copy or an older state of the cluster: point the URL of the source at the server that is in use. A copy that shall live on needs a new timeline (recovery.signal) or another spool.',
    },
  );
}
