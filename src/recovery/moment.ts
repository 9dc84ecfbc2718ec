/** What a restore to a moment is asked for. */
import type { Id } from '../base/ids.ts';
import type { Lsn } from '../postgres/lsn.ts';

/** Times are in microseconds since the Unix epoch. `point`: a point as it is, without the archive's WAL. */
export type MomentTarget =
  | { readonly kind: 'time'; readonly time: bigint }
  | { readonly kind: 'lsn'; readonly lsn: Lsn }
  | { readonly kind: 'xid'; readonly xid: number }
  | { readonly kind: 'name'; readonly name: string }
  | { readonly kind: 'immediate' }
  | { readonly kind: 'latest' }
  | { readonly kind: 'point'; readonly point: Id };
