/** A moment as it is written after `--at`, where a time or the newest archived commit is meant. */
import { formatMicroseconds, parseMicroseconds } from '../base/relative-time.ts';

export interface WrittenMoment {
  readonly target: { readonly kind: 'time'; readonly time: bigint } | { readonly kind: 'latest' };
  /** As it is told: in UTC. */
  readonly asked: string;
}

/** Throws Failure `usage`. */
export function momentTarget(text: string, now: number): WrittenMoment {
  if (text === 'latest') return { target: { kind: 'latest' }, asked: 'the newest archived commit' };
  const time = parseMicroseconds(text, now);
  return { target: { kind: 'time', time }, asked: formatMicroseconds(time).replace(/\.?0+Z$/, 'Z') };
}
