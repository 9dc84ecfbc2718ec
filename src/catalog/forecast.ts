/** How fast a storage fills, and when it will be full. */
import type { CatalogDb } from './database.ts';
import { latest, type Measurement, readSeries } from './measurements.ts';

const DAY = 24 * 3_600_000;
/** Days that count, and how many there must be before anything is foretold. */
const WINDOW_DAYS = 90;
const LEAST_DAYS = 3;
/** Later than this is as good as never. */
const HORIZON = 10 * 365 * DAY;

/** What is measured of storages; both in bytes. `used` counts everything on the disk, not only what is ours. */
export const USED = 'storage_used_bytes';
export const CAPACITY = 'storage_capacity_bytes';

/** Times are ms since the epoch. */
export interface StorageGrowth {
  readonly storage: string;
  readonly usedBytes: number;
  /** Absent where the storage has no limit that it tells. */
  readonly capacityBytes?: number;
  readonly usedPercent?: number;
  /** The usual change; absent before there are days enough. */
  readonly bytesPerDay?: number;
  /** Absent when it does not grow, has no limit, or lasts for more than ten years. */
  readonly fullOn?: number;
  /** Days that the forecast rests on. */
  readonly days: number;
  readonly measuredAt: number;
}

/** Every storage that was measured, by name. */
export async function storageGrowth(db: CatalogDb, now: number): Promise<StorageGrowth[]> {
  const capacities = await latest(db, CAPACITY);
  const growth: StorageGrowth[] = [];
  for (const newest of await latest(db, USED)) {
    const { storage } = newest;
    const series = await readSeries(db, { name: USED, storage, since: now - WINDOW_DAYS * DAY, limit: 10_000 });
    growth.push(foretell(newest, series, capacityAt(capacities, newest)));
  }
  return growth;
}

/** The limit that belongs to what was measured: one of earlier is none any more. */
export function capacityAt(capacities: readonly Measurement[], { storage, at }: Measurement): number | undefined {
  return capacities.find((each) => each.storage === storage && each.at >= at)?.value;
}

/** `series`: the oldest first. */
export function foretell(
  { storage, value: usedBytes, at: measuredAt }: Measurement,
  series: readonly Measurement[],
  capacityBytes?: number,
): StorageGrowth {
  const daily = lastOfEachDay(series);
  const slope = daily.length < LEAST_DAYS ? undefined : medianSlope(daily);
  const full = slope === undefined ? undefined : fullOn(usedBytes, capacityBytes, slope, measuredAt);
  return {
    ...{ storage, usedBytes, days: daily.length, measuredAt },
    ...(capacityBytes === undefined ? {} : { capacityBytes }),
    ...(capacityBytes === undefined || capacityBytes <= 0 ? {} : { usedPercent: (100 * usedBytes) / capacityBytes }),
    ...(slope === undefined ? {} : { bytesPerDay: slope * DAY }),
    ...(full === undefined ? {} : { fullOn: full }),
  };
}

function fullOn(used: number, capacity: number | undefined, slope: number, now: number): number | undefined {
  if (capacity === undefined) return undefined;
  if (used >= capacity) return now;
  const left = slope > 0 ? (capacity - used) / slope : Number.POSITIVE_INFINITY;
  return left > HORIZON ? undefined : Math.round(now + left);
}

function lastOfEachDay(series: readonly Measurement[]): Measurement[] {
  return [...new Map(series.map((each) => [Math.floor(each.at / DAY), each])).values()];
}

/** The median of the slopes between any two days (Theil and Sen): a day of cleaning up does not bend it. Bytes per ms. */
function medianSlope(days: readonly Measurement[]): number {
  const slopes = days.flatMap((a, place) => days.slice(place + 1).map((b) => (b.value - a.value) / (b.at - a.at)));
  slopes.sort((a, b) => a - b);
  const middle = slopes.length / 2;
  return Number.isInteger(middle) ? (slopes[middle - 1]! + slopes[middle]!) / 2 : slopes[Math.floor(middle)]!;
}
