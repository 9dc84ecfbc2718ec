/** The state that a POINT, or `--at` of a sandbox, and `--at`, `--from` and `--to` of the commands about rows name: a time, `latest`, or a point. */
import { Failure } from '../base/failure.ts';
import type { StateAsked } from '../operations/state.ts';
import { momentAt } from './moment-target.ts';

/** First digits of a point's id; a time always has other characters. */
const POINT = /^[0-9a-f]{1,64}$/;

/** Throws `usage`. */
export function stateAt(text: string, now: number): StateAsked {
  if (POINT.test(text)) return { what: { point: text }, shown: `point ${text}` };
  const { target, shown } = momentAt(text, now);
  return { what: { target }, shown };
}

/** A state that is named once: as an argument, which is a point, or by `--at`. Throws `usage`. */
export function namedState(point: string | undefined, at: string | undefined, now: number): StateAsked {
  if (point !== undefined && at !== undefined) throw new Failure('usage', 'A POINT and --at exclude each other.');
  if (point !== undefined) return { what: { point }, shown: `point ${point}` };
  if (at !== undefined) return stateAt(at, now);
  throw new Failure('usage', 'As of when? Name a POINT, or --at with a time, "latest" or a point.', {
    hint: 'List the points with "holdfast points", the moments with "holdfast wal status".',
  });
}
