/** A file of moderate size by its path: read, cut and stored by a worker, again when it changes meanwhile. */
import { printable } from '../../base/printable.ts';
import type { SealPool } from '../../repository/workers-api.ts';
import type { Notify } from '../../sources/entry.ts';
import { decideStable } from '../../sources/files-source.ts';
import type { StoredContent } from './store-stream.ts';

/** Undefined when it cannot be read; `notify` hears why, and when it never held still. */
export async function storePath(
  pool: SealPool,
  path: Buffer,
  expectedSize: number,
  notify: Notify,
): Promise<StoredContent | undefined> {
  const item = printable(path.toString('utf8'));
  for (let attempt = 1; ; attempt++) {
    const [result] = await pool.storePieces([{ path, offset: 0, length: Number.POSITIVE_INFINITY }], expectedSize);
    if (!result?.ok) {
      notify({ kind: 'unreadable', item, reason: result?.message ?? 'was not read' });
      return undefined;
    }
    const verdict = decideStable(result.before, result.after, attempt);
    if (verdict === 'again') continue;
    if (verdict === 'changed')
      notify({ kind: 'changed', item, reason: 'kept changing while it was read; this copy may mix two states' });
    return { content: Promise.resolve(result.content), size: result.bytes };
  }
}
