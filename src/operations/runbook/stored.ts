/** The pages of runbooks that the points hold: found with the storages and the key alone, whatever the configuration still knows. */
import { Failure, isFailure } from '../../base/failure.ts';
import { locate, readContent } from '../../recovery/browse.ts';
import { openPoint } from '../../recovery/point.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { listSnapshots, pickSnapshot, type StoredSnapshot } from '../../repository/snapshots.ts';
import { pointsOf, tagsOf } from '../points.ts';
import type { Session } from '../session.ts';
import { PAGE_NAMES, type PageFormat } from './pages.ts';

export interface StoredRunbook {
  readonly app: string;
  /** The point that holds it. */
  readonly point: string;
  /** RFC 3339, of the point. */
  readonly time: string;
  readonly text: string;
  readonly html: string;
}

/** Bytes; a page is a few thousand. */
const MAX_SIZE = 4 * 1024 * 1024;

/** The apps that the repository holds points of, sorted. */
export async function appsStored({ repository }: Session): Promise<readonly string[]> {
  const { snapshots } = await listSnapshots(repository);
  return [...new Set(snapshots.flatMap((each) => tagsOf(each)?.app ?? []))].sort();
}

/** Of the point that is named, else the newest there is. Throws `path_unknown` when no point of the app has one. */
export async function readStoredRunbook({ repository }: Session, app: string, point?: string): Promise<StoredRunbook> {
  const points = pointsOf(await listSnapshots(repository), app);
  const candidates = point === undefined ? points.toReversed() : [pickSnapshot(points, point)];
  const indexed = await repository.loadIndex();
  for (const stored of candidates) {
    const text = await readPage(indexed, stored, 'text');
    const html = await readPage(indexed, stored, 'html');
    if (text !== undefined && html !== undefined)
      return { app, point: stored.id, time: stored.snapshot.time, text, html };
  }
  throw new Failure('path_unknown', `No point of "${app}" holds a runbook.`, {
    hint: 'Each backup stores it. Without one: holdfast runbook show',
  });
}

async function readPage(
  indexed: IndexedRepository,
  stored: StoredSnapshot,
  format: PageFormat,
): Promise<string | undefined> {
  try {
    const { node } = await locate(indexed, await openPoint(indexed, stored), PAGE_NAMES[format]);
    if (node?.type !== 'file' || node.content === undefined || node.size > MAX_SIZE) return undefined;
    const parts: Buffer[] = [];
    for await (const bytes of readContent(indexed, node.content)) parts.push(bytes);
    return Buffer.concat(parts).toString('utf8');
  } catch (error) {
    if (isFailure(error, 'path_unknown')) return undefined;
    throw error;
  }
}
