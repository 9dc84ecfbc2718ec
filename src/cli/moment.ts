/** A moment as it is written after `--at`, where a time or the newest archived commit is meant. */
import { formatUtc, parseMicroseconds } from '../base/relative-time.ts';

export interface WrittenMoment {
  readonly target: { readonly kind: 'time'; readonly time: bigint } | { readonly kind: 'latest' };
  /** As it is told: in UTC. */
  readonly asked: string;
}

/** Throws Failure `usage`. */
export function momentTarget(text: string, now: number): WrittenMoment {
  if (text === 'latest') return { target: { kind: 'latest' }, asked: 'the newest archived commit' };
  const time = parseMicroseconds(text, now);
  const fraction = (time % 1_000_000n).toString().padStart(6, '0').replace(/0+$/, '');
  const asked = formatUtc(Number(time / 1000n));
  return { target: { kind: 'time', time }, asked: fraction === '' ? asked : asked.replace('Z', `.${fraction}Z`) };
}
