/**
 * The commit times of many segments as short text: for each segment `first.length`, the first as the difference to the last of the segment
 * before it, both in microseconds to the base of 36; `-` for a segment without commits.
 */
import type { CommitRange } from '../piece.ts';

const NONE = '-';
const PAIR = /^(-?[0-9a-z]{1,13})\.([0-9a-z]{1,13})$/;

export function encodeCommits(ranges: readonly CommitRange[]): string {
  let before = 0n;
  return ranges
    .map(({ firstCommit, lastCommit }) => {
      if (firstCommit === undefined || lastCommit === undefined) return NONE;
      const text = `${(firstCommit - before).toString(36)}.${(lastCommit - firstCommit).toString(36)}`;
      before = lastCommit;
      return text;
    })
    .join(' ');
}

/** Undefined for what makes no sense, and for more than `limit` segments. */
export function decodeCommits(text: string, limit: number): CommitRange[] | undefined {
  const words = text.split(' ', limit + 1);
  if (words.length > limit) return undefined;
  const ranges: CommitRange[] = [];
  let before = 0n;
  for (const word of words) {
    if (word === NONE) {
      ranges.push({ firstCommit: undefined, lastCommit: undefined });
      continue;
    }
    const [, difference, length] = PAIR.exec(word) ?? [];
    if (difference === undefined || length === undefined) return undefined;
    const firstCommit = before + fromBase36(difference);
    const lastCommit = firstCommit + fromBase36(length);
    if (firstCommit <= 0n || lastCommit >= 1n << 63n) return undefined;
    ranges.push({ firstCommit, lastCommit });
    before = lastCommit;
  }
  return ranges;
}

function fromBase36(text: string): bigint {
  const digits = text.startsWith('-') ? text.slice(1) : text;
  let value = 0n;
  for (const digit of digits) value = value * 36n + BigInt(Number.parseInt(digit, 36));
  return digits === text ? value : -value;
}
