/**
 * Which point gives which source. A point that is named gives what it has. "latest" means the whole app: sources may be backed up at hours of
 * their own, so each comes from the newest point that has it, and whoever restores hears from when each is.
 */
import { shortId } from '../../base/ids.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import type { SourceRecord } from '../../recovery/manifest.ts';
import { type OpenedPoint, openPoint, pickSources } from '../../recovery/point.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { tagsOf } from '../points.ts';
import type { Session } from '../session.ts';
import type { FoundPoints } from './find-point.ts';

/** What one point gives. */
export interface Part {
  readonly point: OpenedPoint;
  readonly sources: readonly string[];
  /** These are all that the point has. */
  readonly isAll: boolean;
}

/** As it is told: a line of the record of a restore. */
export interface PartRecord {
  readonly point: string;
  readonly short_id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly sources: readonly string[];
}

export class Assembly {
  /** The newest first. */
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    this.parts = parts;
  }

  get sources(): readonly string[] {
    return this.parts.flatMap(({ sources }) => sources);
  }

  /** Undefined for a source that is not in it. */
  pointOf(source: string): OpenedPoint | undefined {
    return this.parts.find(({ sources }) => sources.includes(source))?.point;
  }

  recordOf(source: string): SourceRecord | undefined {
    return this.pointOf(source)?.manifest?.sources[source];
  }

  without(left: (source: string) => boolean): Assembly {
    const parts = this.parts.map(({ point, sources }) =>
      partOf(
        point,
        sources.filter((name) => !left(name)),
      ),
    );
    return new Assembly(parts.filter(({ sources }) => sources.length > 0));
  }
}

/** What `word`, as it was looked up, stands for: the point that it names, or with `latest` the whole app. Throws `source_unknown`. */
export async function assemblyFor(
  session: Session,
  { indexed, points, candidates }: FoundPoints,
  { word, asked }: { readonly word: string; readonly asked: readonly string[] },
): Promise<Assembly> {
  const newest = points[0]!;
  if (word !== 'latest' || newest.app === undefined) return new Assembly([partOf(newest, namesIn(newest, asked))]);
  const ofApp = candidates.filter((candidate) => tagsOf(candidate)?.app === newest.app);
  const assembly = await assemble(indexed, newest, ofApp, asked);
  tellParts(session, assembly, { newest, candidates: ofApp, asked });
  const never = newest.manifest?.otherSources?.filter((name) => assembly.pointOf(name) === undefined) ?? [];
  if (asked.length === 0 && never.length > 0)
    session.progress({ type: 'warning', message: `No point holds ${never.join(', ')}, which the app has.` });
  return assembly;
}

/**
 * The sources that are asked for, else all that the app had when `newest` was made, out of it and of the older `candidates` (oldest first).
 * Throws `source_unknown` for a source that is asked for and in none of them.
 */
export async function assemble(
  indexed: IndexedRepository,
  newest: OpenedPoint,
  candidates: readonly StoredSnapshot[],
  asked: readonly string[],
): Promise<Assembly> {
  const held = namesIn(newest, []);
  const wanted = asked.length > 0 ? [...new Set(asked)] : [...held, ...(newest.manifest?.otherSources ?? [])];
  const given = Map.groupBy(
    wanted.filter((source) => !held.includes(source)),
    (source) => candidates.findLast((candidate) => tagsOf(candidate)?.sources.includes(source)),
  );
  const unknown = given.get(undefined) ?? [];
  if (asked.length > 0 && unknown.length > 0) namesIn(newest, unknown); // says which there are
  const own = held.filter((source) => wanted.includes(source));
  const parts: Part[] = own.length > 0 || given.size === 0 ? [partOf(newest, own)] : [];
  for (const candidate of candidates.toReversed()) {
    const sources = given.get(candidate);
    if (sources !== undefined) parts.push(partOf(await openPoint(indexed, candidate), sources));
  }
  return new Assembly(parts);
}

export function recordsOf(parts: readonly Part[]): PartRecord[] {
  return parts.map(({ point: { stored }, sources }) => ({
    point: stored.id,
    short_id: shortId(stored.id),
    time: stored.snapshot.time,
    sources,
  }));
}

interface Found {
  readonly newest: OpenedPoint;
  /** Oldest first. */
  readonly candidates: readonly StoredSnapshot[];
  /** Sources that were named; none: all. */
  readonly asked: readonly string[];
}

/** Says what comes from which point, where it is more than one; and what a point of an earlier version, which does not say what the app had, lacks. */
export function tellParts({ progress }: Session, { parts }: Assembly, { newest, candidates, asked }: Found): void {
  if (parts.length > 1) {
    const from = parts.map(({ point, sources }) => `${sources.join(', ')} from ${described(point.stored)}`);
    progress({ type: 'note', message: `The newest of each source: ${from.join('; ')}.` });
  }
  if (asked.length > 0 || newest.manifest?.otherSources !== undefined) return;
  tellLacking(progress, newest, candidates, (others) => `Newest point with ${others}. Name it with --source.`);
}

/** Warns of what the newest point lacks and an older one has: of what the app had when it was made, as far as the point says that. */
export function tellLacking(
  progress: Session['progress'],
  newest: OpenedPoint,
  candidates: readonly StoredSnapshot[],
  advice: (others: string) => string,
): void {
  const held = namesIn(newest, []);
  const meant = newest.manifest?.otherSources;
  const holders = new Map<string, StoredSnapshot>();
  for (const candidate of candidates)
    for (const source of tagsOf(candidate)?.sources ?? [])
      if (!held.includes(source) && meant?.includes(source) !== false) holders.set(source, candidate);
  if (holders.size === 0) return;
  const others = [...holders].map(([source, point]) => `${source}: ${described(point)}`).join('; ');
  progress({
    type: 'warning',
    message: `The newest point ${shortId(newest.stored.id)} holds ${held.join(', ')} only, not ${[...holders.keys()].join(', ')}.`,
    hint: advice(others),
  });
}

export function partOf(point: OpenedPoint, sources: readonly string[]): Part {
  return { point, sources, isAll: sources.length === pickSources(point, []).length };
}

function namesIn(point: OpenedPoint, asked: readonly string[]): string[] {
  return pickSources(point, asked).map(({ name }) => name.toString());
}

function described({ id, snapshot }: StoredSnapshot): string {
  return `${shortId(id)} of ${formatUtcAndLocal(Date.parse(snapshot.time))}`;
}
