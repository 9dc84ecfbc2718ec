/** A moment that cannot be restored: why not, and which are the nearest that can. */
import { Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import type { Repository } from '../../repository/repository.ts';
import { readGaps } from '../../wal/gaps.ts';
import type { MomentRequest, PlannedLog } from '../moment.ts';
import type { Base } from './bases.ts';
import type { Stretch } from './line.ts';

export type Why =
  | { readonly kind: 'no-base' }
  | { readonly kind: 'before' }
  | { readonly kind: 'absent' }
  | { readonly kind: 'other-timeline'; readonly base: Base }
  | { readonly kind: 'no-log'; readonly base: Base }
  | {
      readonly kind: 'after';
      readonly stretch: Stretch;
      readonly cluster: Pick<PlannedLog, 'archive' | 'line'>;
      /** The time of the stretch's last commit, µs. */
      readonly latest: bigint | undefined;
    };

/** Why, and the bases of the nearest moments: the one whose log ends before, the one that is itself after. */
export interface Near {
  readonly why: Why;
  readonly before?: Base;
  readonly after?: Base;
}

export async function unreachable(
  repository: Repository,
  target: MomentRequest['target'],
  near: Near,
): Promise<Failure> {
  const before = momentBefore(near);
  const after = near.after && {
    point: near.after.point.stored.id,
    lsn: formatLsn(near.after.stop),
    ...how(near.after),
  };
  const nearest = [
    before && `The last moment before: ${before.what} (${before.option}).`,
    after && `The first moment after: ${after.what} (${after.option}).`,
  ].filter((text) => text !== undefined);
  return new Failure('moment_unreachable', `${nameOf(target)} cannot be restored: ${await reason(repository, near)}.`, {
    hint: nearest.length > 0 ? nearest.join(' ') : 'See what there is: "holdfast points", "holdfast wal status".',
    details: { before: before ?? null, after: after ?? null, why: near.why.kind },
  });
}

/** `2025-03-01T08:30:00.123456Z`. */
export function formatMicroseconds(time: bigint): string {
  const seconds = new Date(Number(time / 1000n)).toISOString().replace(/\.\d{3}Z$/, '');
  return `${seconds}.${(time % 1_000_000n).toString().padStart(6, '0')}Z`;
}

function nameOf(target: MomentRequest['target']): string {
  switch (target.kind) {
    case 'time':
      return formatMicroseconds(target.time);
    case 'lsn':
      return `Position ${formatLsn(target.lsn)}`;
    case 'xid':
      return `Transaction ${target.xid}`;
    case 'name':
      return `The restore point "${target.name}"`;
    default:
      return 'The newest moment';
  }
}

function momentBefore({ why }: Near) {
  if (why.kind !== 'after') return undefined;
  const lsn = formatLsn(why.stretch.end);
  if (why.latest === undefined) return { lsn, time: null, what: lsn, option: `--lsn ${lsn}` };
  const time = formatMicroseconds(why.latest);
  return { lsn, time, what: `the commit of ${time}`, option: `--at ${time}` };
}

function how({ point, stop }: Base) {
  const id = shortId(point.stored.id);
  return { what: `point ${id}, at ${formatLsn(stop)}`, option: `holdfast restore ${id}` };
}

async function reason(repository: Repository, { why }: Near): Promise<string> {
  switch (why.kind) {
    case 'no-base':
      return 'there is no point with the database';
    case 'before':
      return 'it is before the first point from which the log leads there';
    case 'absent':
      return 'the archived log does not show it';
    case 'other-timeline':
      return `the points are on other timelines (${why.base.timeline}); see --timeline`;
    case 'no-log':
      return `no log is archived from point ${shortId(why.base.point.stored.id)} on`;
    case 'after':
      return afterReason(repository, why);
  }
}

async function afterReason(repository: Repository, { stretch, cluster }: Why & { kind: 'after' }): Promise<string> {
  const { archive, line } = cluster;
  const next = line.stretches.find(({ start }) => start > stretch.end);
  if (next === undefined) return 'it is after the last archived commit';
  const gaps = await readGaps(repository, archive.systemIdentifier);
  const gap = gaps.find(({ start, end }) => start < next.start && (end === undefined || end > stretch.end));
  const known = gap === undefined ? '' : `: ${gap.detail}`;
  return `the archive has no log from ${formatLsn(stretch.end)} to ${formatLsn(next.start)}${known}`;
}
