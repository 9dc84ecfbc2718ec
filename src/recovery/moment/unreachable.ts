/** A moment that cannot be restored: why not, and which are the nearest that can. */
import { Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { formatMicroseconds } from '../../base/relative-time.ts';
import { formatLsn } from '../../postgres/lsn.ts';
import type { Repository } from '../../repository/repository.ts';
import { readGaps } from '../../wal/gaps.ts';
import type { MomentRequest, PlannedLog } from '../moment.ts';
import type { Base } from './bases.ts';
import type { Stretch } from './line.ts';

/** `latest`: the time of the stretch's latest commit, µs. */
export type Why =
  | { readonly kind: 'no-base' }
  | { readonly kind: 'before' }
  | { readonly kind: 'absent'; readonly stretch: Stretch; readonly latest: bigint | undefined }
  | { readonly kind: 'other-timeline'; readonly base: Base }
  | { readonly kind: 'no-log'; readonly base: Base }
  | {
      readonly kind: 'after';
      readonly stretch: Stretch;
      readonly cluster: Pick<PlannedLog, 'archive' | 'line'>;
      readonly latest: bigint | undefined;
    };

/** Why, and the bases that are the nearest moments themselves. Of what is absent nobody knows when it was: `after` is the oldest base then. */
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
  const after = near.after && momentOf(near.after);
  const [earlier, later] = near.why.kind === 'absent' ? ENDS : NEIGHBOURS;
  const nearest = [
    before && `${earlier}: ${before.what} (${before.option}).`,
    after && `${later}: ${after.what} (${after.option}).`,
  ].filter((text) => text !== undefined);
  return new Failure('moment_unreachable', `${nameOf(target)} cannot be restored: ${await reason(repository, near)}.`, {
    hint: nearest.length > 0 ? nearest.join(' ') : 'See what there is: "holdfast points", "holdfast wal status".',
    details: { before: before ?? null, after: after ?? null, why: near.why.kind },
  });
}

const NEIGHBOURS = ['The last moment before', 'The first moment after'];
const ENDS = ['The newest moment there is', 'The oldest'];

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

function momentBefore({ why, before }: Near) {
  if (why.kind !== 'after' && why.kind !== 'absent') return before && momentOf(before);
  const lsn = formatLsn(why.stretch.end);
  if (why.latest === undefined) return { lsn, time: null, what: lsn, option: `--lsn ${lsn}` };
  const time = formatMicroseconds(why.latest);
  return { lsn, time, what: `the commit of ${time}`, option: `--at ${time}` };
}

function momentOf({ point, stop }: Base) {
  const [id, lsn] = [point.stored.id, formatLsn(stop)];
  return {
    point: id,
    lsn,
    what: `point ${shortId(id)}, at ${lsn}`,
    option: `holdfast restore ${shortId(id)} --to DIR`,
  };
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
