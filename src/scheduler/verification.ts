/**
 * Reading back what is stored, a slice at a time. Every object of a storage belongs to one of so many slices by its name; each run reads
 * the slices whose turn it is, so that after `readEvery` all were read. The ledger keeps when each slice was; time lost is made up for.
 */
import type { CatalogDb } from '../catalog/catalog.ts';
import { notePresent, noteRead } from '../catalog/ledger.ts';
import type { VerificationSettings } from '../config/schedule-settings.ts';
import type { Params } from './kinds.ts';

const HOUR = 3_600_000;
/** Part of `readEvery` in which the round is made: what is left is for runs that fail or come late. */
const MARGIN = 0.9;
/** Slices that one run reads at most, so that a long pause does not become one endless run. */
const MOST_AT_ONCE = 48;

/** What the schedule of a storage's samples carries. */
export function sampleParams(storage: string, { sample, readEveryMs }: VerificationSettings): Params {
  const interval = sample === 'hourly' ? HOUR : 24 * HOUR;
  return { storage, of: Math.max(1, Math.floor((readEveryMs * MARGIN) / interval)) };
}

export interface SliceTurn {
  readonly slice: number;
  /** ms since the epoch; 0: never. */
  readonly readAt: number;
}

/**
 * The slices whose turn it is, those read longest ago first. `perRun`: ms between two runs when all goes well. A run reads one, and one
 * more for each that was missed since the last.
 */
export function slicesDue(turns: readonly SliceTurn[], now: number, perRun: number): number[] {
  const last = Math.max(0, ...turns.map(({ readAt }) => readAt));
  const missed = last === 0 ? 1 : Math.round((now - last) / perRun);
  const count = Math.min(Math.max(1, missed), MOST_AT_ONCE);
  return turns
    .toSorted((a, b) => a.readAt - b.readAt || a.slice - b.slice)
    .slice(0, count)
    .map(({ slice }) => slice);
}

/** Fills in what a sample reads now. */
export async function withSlices(db: CatalogDb, params: Params, now: number, perRun: number): Promise<Params> {
  const { storage, of } = params;
  if (typeof storage !== 'string' || typeof of !== 'number' || params.slice !== undefined) return params;
  const turns = await readTurns(db, storage, of);
  return { ...params, slice: slicesDue(turns, now, perRun) };
}

/** Notes what a sample read. `outcome`: the summary of `holdfast verify`. */
export async function noteSample(
  db: CatalogDb,
  params: Params,
  outcome: Readonly<Record<string, unknown>>,
  now: number,
): Promise<void> {
  const { storage, of, slice } = params;
  if (typeof storage !== 'string' || typeof of !== 'number' || !Array.isArray(slice)) return;
  const read = (outcome.storages as Record<string, { readonly bytes?: number }> | undefined)?.[storage];
  if (read === undefined) return;
  const good = Array.isArray(outcome.findings) && outcome.findings.length === 0;
  const bytes = Math.round((read.bytes ?? 0) / slice.length);
  await noteRead(
    db,
    storage,
    slice.map((each) => ({ object: nameOf(Number(each), of), bytes, good })),
    now,
  );
}

async function readTurns(db: CatalogDb, storage: string, of: number): Promise<SliceTurn[]> {
  const names = Array.from({ length: of }, (_, slice) => nameOf(slice, of));
  await notePresent(
    db,
    storage,
    names.map((object) => ({ object, bytes: 0 })),
  );
  const rows = await db.selectFrom('ledger').select(['object', 'checked_at']).where('storage', '=', storage).execute();
  const readAt = new Map(rows.map((row) => [row.object, row.checked_at]));
  return names.map((object, slice) => ({ slice, readAt: readAt.get(object) ?? 0 }));
}

function nameOf(slice: number, of: number): string {
  return `slice ${slice} of ${of}`;
}
