/**
 * The base backups in the points: where in the log each begins and ends. A manifest is read once; the book `wal-bases` keeps what it says,
 * so that a status or a prune opens no point it knows.
 */

import { atOnce } from '../../base/at-once.ts';
import { isFailure } from '../../base/failure.ts';
import type { Id } from '../../base/ids.ts';
import { type Lsn, parseLsn } from '../../postgres/lsn.ts';
import type { Manifest } from '../../recovery/manifest.ts';
import { readManifest } from '../../recovery/read-manifest.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type MetaBook, type MetaEntry, readMeta, updateMeta } from '../../repository/meta.ts';
import type { Repository } from '../../repository/repository.ts';
import { type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';

/** A database in a point. */
export interface Base {
  readonly point: StoredSnapshot;
  readonly app: string;
  readonly source: string;
  readonly systemIdentifier: string;
  readonly timeline: number;
  /** Recovery needs the log from `start`, and may end anywhere from `stop` on. */
  readonly start: Lsn;
  readonly stop: Lsn;
  /** Of the point, in milliseconds since the epoch. */
  readonly time: number;
}

export interface KnownBases {
  readonly bases: readonly Base[];
  /** Points whose manifest cannot be read: what they need is not known. */
  readonly unknown: readonly StoredSnapshot[];
}

interface RecordedDatabase {
  readonly source: string;
  readonly cluster: string;
  readonly timeline: number;
  /** As PostgreSQL writes positions. */
  readonly start: string;
  readonly stop: string;
}

interface BasesEntry extends MetaEntry {
  readonly databases: readonly RecordedDatabase[];
}

const BASES: MetaBook<BasesEntry> = { kind: 'wal-bases', parse: parseEntry };
const POSITION = /^[0-9A-F]{1,8}\/[0-9A-F]{1,8}$/i;
const PARALLEL = 8;

/** The bases among `points`. What the book lacks is read and written down (unless `readOnly`). */
export async function readBases(
  repository: Repository,
  points: readonly StoredSnapshot[],
  options: { readonly indexed?: IndexedRepository; readonly readOnly?: boolean } = {},
): Promise<KnownBases> {
  const known = new Map<string, readonly RecordedDatabase[]>();
  for (const [id, { databases }] of await readMeta(repository, BASES)) known.set(id, databases);
  const missing = points.filter((point) => tagsOf(point) !== undefined && !known.has(point.id));
  if (missing.length > 0) {
    const found = await readManifests(options.indexed ?? (await repository.loadIndex()), missing);
    for (const [id, databases] of found) known.set(id, databases);
    if (!options.readOnly && found.size > 0)
      await record(repository, found).catch(() => repository.settings.signal?.throwIfAborted());
  }
  const bases = points.flatMap((point) => (known.get(point.id) ?? []).map((database) => toBase(point, database)));
  const unknown = missing.filter(({ id }) => !known.has(id));
  return { bases: bases.sort((a, b) => a.time - b.time), unknown };
}

/** Forgets points that are gone. */
export async function forgetBases(repository: Repository, isGone: (point: string) => boolean): Promise<void> {
  await updateMeta(repository, BASES, (entries) => {
    for (const id of entries.keys()) if (isGone(id)) entries.delete(id);
  });
}

async function readManifests(indexed: IndexedRepository, points: readonly StoredSnapshot[]) {
  const found = new Map<Id, readonly RecordedDatabase[]>();
  await atOnce(PARALLEL, points.toReversed(), async (point) => {
    try {
      found.set(point.id, databasesOf(await readManifest(indexed, point, tagsOf(point)!.app)));
    } catch (error) {
      indexed.repository.settings.signal?.throwIfAborted();
      if (!isFailure(error)) throw error;
    }
  });
  return found;
}

function databasesOf({ sources }: Manifest): RecordedDatabase[] {
  return Object.entries(sources).flatMap(([source, record]) => {
    if (record.type !== 'postgres') return [];
    const { systemIdentifier: cluster, backup } = record.facts;
    const database = { source, cluster, timeline: backup.timeline, start: backup.startLsn, stop: backup.stopLsn };
    return isDatabase(database) ? [database] : [];
  });
}

function toBase(point: StoredSnapshot, { source, cluster, timeline, start, stop }: RecordedDatabase): Base {
  const place = { timeline, start: parseLsn(start), stop: parseLsn(stop) };
  return { point, app: tagsOf(point)?.app ?? '', source, systemIdentifier: cluster, ...place, time: timeOf(point) };
}

async function record(repository: Repository, found: ReadonlyMap<Id, readonly RecordedDatabase[]>): Promise<void> {
  await updateMeta(repository, BASES, (entries, stamp) => {
    for (const [id, databases] of found) entries.set(id, { time: stamp(id), databases });
  });
}

function parseEntry({ time, databases }: Readonly<Record<string, unknown>>): BasesEntry | undefined {
  if (!Array.isArray(databases) || !databases.every(isDatabase)) return undefined;
  return { time: time as number, databases };
}

function isDatabase(value: unknown): value is RecordedDatabase {
  if (typeof value !== 'object' || value === null) return false;
  const { source, cluster, timeline, start, stop } = value as Readonly<Record<string, unknown>>;
  const isPosition = (text: unknown) => typeof text === 'string' && POSITION.test(text);
  if (typeof source !== 'string' || typeof cluster !== 'string' || !/^\d{1,20}$/.test(cluster)) return false;
  return Number.isSafeInteger(timeline) && (timeline as number) > 0 && isPosition(start) && isPosition(stop);
}
