/**
 * Chooses base and stop. Bases are tried from the newest back: the first whose end is not after the moment, and whose stretch of the log
 * reaches it, is taken. What the log shows about the moment is the same for all bases of a stretch and found once.
 */

import { given } from '../../base/given.ts';
import { earlierLsn, type Lsn, laterLsn, segmentStart } from '../../postgres/lsn.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import type { StoredSnapshot } from '../../repository/snapshots.ts';
import { WalArchive } from '../../wal/archive.ts';
import type { MomentPlan, MomentRequest, PlannedLog } from '../moment.ts';
import type { RecoveryWorld } from '../world.ts';
import { type Base, basesOf } from './bases.ts';
import { type LogLine, type LogPart, lineTo, newestTimeline, type Stretch, stepAt, stretchAt } from './line.ts';
import { type Located, locate, mayPrecede } from './locate.ts';
import type { SearchedLog } from './search.ts';
import { type Near, unreachable, type Why } from './unreachable.ts';

type Cluster = Omit<PlannedLog, 'parts'>;

/** A base dated this much (µs) after a wanted time is not even opened: no clock is so wrong. */
const CLEARLY_AFTER = 26n * 3600n * 1_000_000n;

export class MomentPlanner {
  readonly #world: RecoveryWorld;
  readonly #indexed: IndexedRepository;
  readonly #snapshots: readonly StoredSnapshot[];
  readonly #request: MomentRequest;
  readonly #clusters = new Map<string, Cluster>();
  readonly #located = new Map<Stretch, Located>();

  constructor(
    world: RecoveryWorld,
    indexed: IndexedRepository,
    snapshots: readonly StoredSnapshot[],
    request: MomentRequest,
  ) {
    this.#world = world;
    this.#indexed = indexed;
    this.#snapshots = snapshots;
    this.#request = request;
  }

  async plan(): Promise<MomentPlan> {
    const { target, app, source } = this.#request;
    let later: Base | undefined;
    let near: Near = { why: { kind: 'no-base' } };
    for await (const base of basesOf(this.#indexed, this.#candidates(), app, source)) {
      this.#world.signal.throwIfAborted();
      const cluster = await this.#clusterOf(base);
      const outcome = await this.#try(base, cluster);
      if ('plan' in outcome) return outcome.plan;
      const { why, before, after = later } = outcome;
      if (tellsMore(why, near)) near = { why, ...given('before', before), ...given('after', after) };
      if (outcome.final) break;
      if (outcome.usable) later = base;
    }
    if (near.why.kind === 'absent') near = { why: near.why, ...given('after', later) };
    throw await unreachable(this.#world.repository, target, near);
  }

  #candidates(): readonly StoredSnapshot[] {
    const { target } = this.#request;
    if (target.kind !== 'time') return this.#snapshots;
    const limit = Number((target.time + CLEARLY_AFTER) / 1000n);
    const early = this.#snapshots.filter(({ snapshot }) => Date.parse(snapshot.time) <= limit);
    return early.length > 0 ? early : this.#snapshots;
  }

  async #try(base: Base, cluster: Cluster): Promise<{ readonly plan: MomentPlan } | Attempt> {
    const { target } = this.#request;
    if (target.kind === 'immediate') return { plan: immediate(base, cluster, target) };
    if (!isOnLine(base, cluster.line)) return { why: { kind: 'other-timeline', base }, usable: false };
    const stretch = stretchOf(base, cluster.line);
    if (stretch === undefined) {
      if (target.kind === 'latest') return { plan: immediate(base, cluster, target) };
      const isBefore = target.kind === 'time' && base.time <= target.time;
      return { why: { kind: 'no-log', base }, [isBefore ? 'before' : 'after']: base, usable: true };
    }
    const located = await this.#locate(cluster, stretch);
    if (located.kind === 'absent') return { why: { ...located, stretch }, usable: true };
    if (located.kind === 'after') return { why: { ...located, stretch, cluster }, usable: true, final: true };
    if (target.kind === 'latest' && located.reached < base.stop) return { plan: immediate(base, cluster, target) };
    const isEarlier = located.reached < base.stop || !(await mayPrecede(base, target, searched(cluster), stretch));
    if (isEarlier) return { why: { kind: 'before' }, after: base, usable: true };
    return { plan: recovery(base, { ...cluster, parts: [] }, stretch, located, target) };
  }

  async #locate(cluster: Cluster, stretch: Stretch): Promise<Located> {
    const known = this.#located.get(stretch);
    if (known !== undefined) return known;
    const located = await locate(searched(cluster), stretch, this.#request.target);
    this.#located.set(stretch, located);
    return located;
  }

  async #clusterOf({ systemIdentifier }: Base): Promise<Cluster> {
    const known = this.#clusters.get(systemIdentifier);
    if (known !== undefined) return known;
    const archive = new WalArchive(this.#world.repository, systemIdentifier);
    const inventory = await archive.list();
    const told = new Set(this.#world.repository.lost.map(({ name }) => name));
    for (const [storage, { message, hint }] of inventory.silent) {
      if (!told.has(storage)) this.#world.progress({ type: 'warning', storage, message, ...given('hint', hint) });
    }
    const histories = await archive.histories(inventory);
    const line = lineTo(inventory, histories, this.#request.timeline ?? newestTimeline(inventory));
    const cluster = { archive, inventory, histories, line };
    this.#clusters.set(systemIdentifier, cluster);
    return cluster;
  }
}

/** Why a base does not lead to the moment. `usable`: it leads to later ones. `final`: older bases cannot, either. */
interface Attempt extends Near {
  readonly usable: boolean;
  readonly final?: boolean;
}

/** The later, the more the log has shown of the moment. */
const TELLING = ['no-base', 'other-timeline', 'no-log', 'absent', 'before', 'after'] satisfies Why['kind'][];

/**
 * Whether the reason of an older base tells more than what is known, or the same about what is nearer; the newest log counts for absence, and
 * of the points before the moment the newest.
 */
function tellsMore({ kind }: Why, { why: known, before }: Near): boolean {
  if (kind === 'absent' && known.kind === 'absent') return false;
  if (kind === 'no-log' && known.kind === 'no-log' && before !== undefined) return false;
  return TELLING.indexOf(kind) >= TELLING.indexOf(known.kind);
}

function searched({ archive, inventory, line }: Cluster): SearchedLog {
  return { archive, inventory, segmentSize: line.segmentSize };
}

function immediate(base: Base, cluster: Cluster, target: MomentPlan['target']): MomentPlan {
  const { stop: reached, timeline, time } = base;
  return { target, base, stop: { kind: 'immediate' }, reached, time, timeline, log: { ...cluster, parts: [] } };
}

function recovery(
  base: Base,
  log: PlannedLog,
  stretch: Stretch,
  { stop, reached, needs, time }: Located & { kind: 'stop' },
  target: MomentPlan['target'],
): MomentPlan {
  const { segmentSize } = log.line;
  const step = stepAt(log.line, stop.lsn);
  const size = BigInt(segmentSize);
  const lastSegmentEnd = segmentStart(needs - 1n, segmentSize) + size;
  const end = earlierLsn(step.end ?? lastSegmentEnd, lastSegmentEnd);
  const begin = segmentStart(base.start, segmentSize);
  const firstWhole = segmentStart(stretch.start + size - 1n, segmentSize);
  const parts = clip(stretch.parts, laterLsn(begin, firstWhole), end);
  return { target, base, stop, reached, time, timeline: step.timeline, log: { ...log, parts } };
}

function clip(parts: readonly LogPart[], from: Lsn, to: Lsn): LogPart[] {
  return parts.flatMap((part) => {
    const [start, end] = [laterLsn(part.start, from), earlierLsn(part.end, to)];
    return start < end ? [{ ...part, start, end }] : [];
  });
}

function isOnLine(base: Base, { path }: LogLine): boolean {
  return path.some(({ timeline, end }) => timeline === base.timeline && (end === undefined || base.stop <= end));
}

/** The stretch that goes on where the base ends. What comes before its last segment may be missing there: the base has that itself. */
function stretchOf({ stop }: Base, line: LogLine): Stretch | undefined {
  const at = (position: Lsn) => stretchAt(line, segmentStart(position, line.segmentSize));
  return at(stop) ?? at(stop - 1n);
}
