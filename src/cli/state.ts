/** The state that `--at` of a sandbox, and `--at`, `--from` and `--to` of the commands about rows name: a time, `latest`, or a point. */
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
