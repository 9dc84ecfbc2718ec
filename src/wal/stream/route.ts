/** Where a stream goes on: pure decisions over what the archive holds, what was received, and the history of the server. */
import type { Lsn } from '../../postgres/lsn.ts';
import type { WalInventory } from '../archive.ts';
import { spans } from '../coverage.ts';
import type { Ancestor, PathStep } from '../timelines.ts';

export interface Position {
  readonly timeline: number;
  readonly lsn: Lsn;
}

/** How the server's timeline lies to where we are. */
export type Route =
  /** Ask the server for our timeline from here; it passes us on when that has ended. */
  | { readonly kind: 'continue' }
  /** The server's history left our timeline before our end: what we have beyond is not in it. Go on with this timeline from there. */
  | { readonly kind: 'forked'; readonly next: number; readonly at: Lsn }
  /** Our timeline is no ancestor of the server's: it was recovered back in time. */
  | { readonly kind: 'elsewhere'; readonly next: number; readonly at: Lsn }
  /** The server is on an older timeline than ours. */
  | { readonly kind: 'behind' };

/** `ancestors`: of the server's timeline, oldest first. */
export function routeFrom(here: Position, server: number, ancestors: readonly Ancestor[]): Route {
  if (here.timeline === server) return { kind: 'continue' };
  if (here.timeline > server) return { kind: 'behind' };
  const index = ancestors.findIndex(({ timeline }) => timeline === here.timeline);
  if (index < 0) return { kind: 'elsewhere', next: server, at: ancestors.at(-1)?.end ?? 0n };
  const { end } = ancestors[index]!;
  if (here.lsn <= end) return { kind: 'continue' };
  return { kind: 'forked', next: ancestors[index + 1]?.timeline ?? server, at: end };
}

/** The stretches of log from a position to the server's timeline, in order; the last one is open. */
export function stepsTo(server: number, here: Position, ancestors: readonly Ancestor[]): PathStep[] {
  const at = ancestors.findIndex(({ timeline }) => timeline === here.timeline);
  if (here.timeline === server || at < 0) return [{ timeline: server, start: here.lsn, end: undefined }];
  const way = ancestors.slice(at).map(({ timeline, end }, i): PathStep => {
    return { timeline, start: i === 0 ? here.lsn : ancestors[at + i - 1]!.end, end };
  });
  return [...way, { timeline: server, start: ancestors.at(-1)!.end, end: undefined }];
}

/**
 * The end of what at least `copies` of the storages (bits of masks) hold of the latest timeline; of what any holds when fewer have
 * something. Undefined where nothing is archived.
 */
export function archiveEnd(inventory: WalInventory, storages: readonly number[], copies: number): Position | undefined {
  const timeline = Math.max(0, ...spans(inventory).map((span) => span.timeline));
  if (timeline === 0) return undefined;
  const ends = storages.flatMap((bit) => {
    const last = spans(inventory, bit).findLast((span) => span.timeline === timeline);
    return last === undefined ? [] : [last.end];
  });
  ends.sort((a, b) => (a < b ? 1 : -1));
  const lsn = ends[Math.min(copies, ends.length) - 1];
  return lsn === undefined ? undefined : { timeline, lsn };
}
