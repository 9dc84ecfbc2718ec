/** After a database was read whole: is it what was merged from changes before? */
import { asFailure } from '../../base/failure.ts';
import type { Notify } from '../../sources/entry.ts';
import type { Comparison, PostgresSource } from '../../sources/postgres-source.ts';
import { compareWithEarlier, type WholeFile } from '../archive/comparison.ts';
import type { EarlierDatabase } from './earlier-database.ts';

/** Files that were read whole, by path. */
export type WholeFiles = Map<string, WholeFile>;

/** Undefined where there is nothing to compare with, or it could not be done, which is told. The point does not depend on it. */
export async function compareFull(
  cluster: PostgresSource,
  { base, files }: EarlierDatabase,
  whole: WholeFiles,
  notify: Notify,
  signal: AbortSignal,
): Promise<Comparison | undefined> {
  const changes = cluster.changesSinceBase();
  if (changes === undefined || 'reason' in base) return undefined;
  try {
    const comparison = await compareWithEarlier(base.point, files, whole, changes);
    if (comparison.different > 0) notify({ kind: 'note', item: 'full backup', reason: told(comparison) });
    return comparison;
  } catch (error) {
    signal.throwIfAborted();
    const reason = `was not compared with the point ${base.point}: ${asFailure(error).message}`;
    notify({ kind: 'note', item: 'full backup', reason });
    return undefined;
  }
}

function told({ point, different, examples }: Comparison): string {
  return (
    `differs in ${different} ${different === 1 ? 'place' : 'places'} from the point ${point} although the server says that nothing changed there (${examples.slice(0, 3).join(', ')}): ` +
    'this point is right; points since the last full one may hold old pages. "holdfast prove" shows whether they start and hold together'
  );
}
