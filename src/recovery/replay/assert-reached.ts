/** Whether a recovery ended where its plan said: nobody gets a copy of another moment than the one that was asked for. */
import { Failure } from '../../base/failure.ts';
import { formatMicroseconds } from '../../base/relative-time.ts';
import { formatLsn, type Lsn, parseLsn, segmentStart } from '../../postgres/lsn.ts';
import type { MomentPlan } from '../moment.ts';
import type { Reached } from '../server/reached.ts';

/** What a plan says about its end. */
type PlannedEnd = Pick<MomentPlan, 'target' | 'stop' | 'reached'> & {
  readonly log: { readonly line: { readonly segmentSize: number } };
};

const PAGE = 8192n;

/** Throws `internal` when the log was applied up to another record than planned, or past the time that was asked for. */
export function assertReached(plan: PlannedEnd, is: Reached): void {
  const { target, stop, reached } = plan;
  const actual = parseLsn(is.lsn);
  const isThere = stop.kind === 'immediate' ? actual >= reached : isSamePlace(plan, actual, stop.inclusive);
  if (isThere && !isLate(target, is.commitTime)) return;
  const commit = is.commitTime === null ? 'no commit' : `the commit of ${is.commitTime}`;
  throw new Failure(
    'internal',
    `Recovery stopped at ${is.lsn} with ${commit}, not at ${formatLsn(reached)} as planned. The copy is not what was asked for.`,
  );
}

/** The end of a record that ends its segment early (a switch) is told as the end of the segment. */
function isSamePlace({ reached, log }: PlannedEnd, actual: Lsn, inclusive: boolean): boolean {
  const { segmentSize } = log.line;
  const size = BigInt(segmentSize);
  const segmentEnd = segmentStart(reached, segmentSize) + size;
  return nextRecord(actual, size) === nextRecord(reached, size) || (inclusive && actual === segmentEnd);
}

function isLate(target: MomentPlan['target'], commitTime: string | null): boolean {
  return target.kind === 'time' && commitTime !== null && commitTime > formatMicroseconds(target.time);
}

/** Where a record would begin after one that ended here: behind the header of the page, which is longer at the start of a segment. */
function nextRecord(position: Lsn, segmentSize: bigint): Lsn {
  if (position % PAGE !== 0n) return position;
  return position + (position % segmentSize === 0n ? 40n : 24n);
}
