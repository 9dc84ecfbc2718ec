/** A copy of a point goes on with the timeline of the original; its log can never go where the original's is archived. That has to be said. */
import { parseLsn } from '../../postgres/lsn.ts';
import type { PostgresSourceRecord } from '../../recovery/manifest.ts';
import type { OpenedPoint } from '../../recovery/point.ts';
import { WalArchive } from '../../wal/archive.ts';
import type { Session } from '../session.ts';
import type { Assembly } from './assembly.ts';

/** `takesPlace`: of the original; then it is a warning, else a remark. What cannot be learned of the archive is not said. */
export async function tellTimelines(session: Session, { parts }: Assembly, takesPlace: boolean): Promise<void> {
  for (const { point, sources } of parts) await tellTimeline(session, point, sources, takesPlace);
}

async function tellTimeline(
  session: Session,
  { manifest }: OpenedPoint,
  sources: readonly string[],
  takesPlace: boolean,
): Promise<void> {
  for (const [source, record] of Object.entries(manifest?.sources ?? {})) {
    if (record.type !== 'postgres' || !sources.includes(source)) continue;
    if (!(await goesOnInArchive(session, record))) continue;
    const { timeline, stopLsn } = record.facts.backup;
    if (takesPlace) {
      const message =
        `${source} goes on with timeline ${timeline}, as the original did after this point, whose WAL is archived: "wal stream" and "wal push" refuse ` +
        'the log of such a copy.';
      const instead = `Name the moment instead of the point: --immediate (the newest point) or --lsn ${stopLsn} (this one).`;
      session.progress({ type: 'warning', message, hint: `${instead} It then begins a timeline of its own.` });
      continue;
    }
    const message =
      `${source}: as of the point. What was committed after it is in the WAL archive: "holdfast restore --at latest" brings that back, too. ` +
      `To look at, this copy is good; one that is to take the original's place needs a timeline of its own: --at, or --lsn ${stopLsn} for this very state.`;
    session.progress({ type: 'note', message });
  }
}

async function goesOnInArchive({ repository, signal }: Session, { facts }: PostgresSourceRecord): Promise<boolean> {
  const { systemIdentifier, backup } = facts;
  try {
    const stop = parseLsn(backup.stopLsn);
    const { pieces } = await new WalArchive(repository, systemIdentifier).list();
    return pieces.some(({ piece }) => piece.timeline >= backup.timeline && piece.end > stop);
  } catch {
    signal.throwIfAborted();
    return false; // a restore does not fail for a remark
  }
}
