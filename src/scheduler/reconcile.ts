/** Brings the catalog's schedules of the file in line with the file: what is new begins now, what is gone goes, what people made by the API stays. */
import { isDeepStrictEqual } from 'node:util';
import { given } from '../base/given.ts';
import type { Catalog, CatalogDb } from '../catalog/catalog.ts';
import {
  addSchedule,
  changeSchedule,
  listSchedules,
  type NewSchedule,
  removeSchedule,
  type Schedule,
} from '../catalog/schedules.ts';
import { nextTime } from './cron.ts';
import type { DeclaredSchedule } from './declared.ts';

export interface Reconciled {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** All or nothing of it. */
export function reconcile(catalog: Catalog, declared: readonly DeclaredSchedule[], now: number): Promise<Reconciled> {
  return catalog.transaction(async (db) => {
    const known = new Map((await listSchedules(db, { origin: 'file' })).map((each) => [nameOf(each), each]));
    const ids = new Map([...known].map(([name, { id }]) => [name, id]));
    let [added, changed] = [0, 0];
    for (const schedule of inOrder(declared)) {
      const name = nameOf(schedule);
      const existing = known.get(name);
      known.delete(name);
      const outcome = await settle(db, existing, ofFile(schedule, ids), now);
      ids.set(name, outcome.id);
      if (outcome.change === 'added') added += 1;
      if (outcome.change === 'changed') changed += 1;
    }
    for (const { id } of known.values()) await removeSchedule(db, id, now);
    return { added, changed, removed: known.size };
  });
}

/** When a schedule that begins now, or was changed now, is due next; null: not by the clock. */
function firstTimes({ cron, timezone, enabled }: Pick<NewSchedule, 'cron' | 'timezone' | 'enabled'>, now: number) {
  const nextAt = enabled && cron !== '' ? (nextTime(cron, timezone, now) ?? null) : null;
  return { evaluatedUntil: now, nextAt };
}

async function settle(db: CatalogDb, existing: Schedule | undefined, wanted: NewSchedule, now: number) {
  if (existing === undefined) {
    const { id } = await addSchedule(db, wanted, firstTimes(wanted, now), now);
    return { id, change: 'added' };
  }
  const { id, version } = existing;
  if (isDeepStrictEqual(partOf(existing, wanted), wanted)) return { id, change: 'none' };
  const sameClock =
    existing.cron === wanted.cron && existing.timezone === wanted.timezone && existing.enabled === wanted.enabled;
  const times = sameClock
    ? { evaluatedUntil: existing.evaluatedUntil, nextAt: existing.nextAt ?? null }
    : firstTimes(wanted, now);
  await changeSchedule(db, id, version, wanted, times, now);
  return { id, change: 'changed' };
}

/** What of `existing` people decide, with the keys in the order of nothing in particular. */
function partOf(existing: Schedule, wanted: NewSchedule): Partial<NewSchedule> {
  const keys = new Set([...Object.keys(wanted), 'afterSchedule', 'timeLimitMs']);
  return Object.fromEntries(Object.entries(existing).filter(([key]) => keys.has(key)));
}

/** Who is followed comes first, so that its id is known; the configuration has no circles. */
function inOrder(declared: readonly DeclaredSchedule[]): DeclaredSchedule[] {
  const byName = new Map(declared.map((schedule) => [nameOf(schedule), schedule]));
  const depth = (schedule: DeclaredSchedule): number => {
    const first =
      schedule.after === undefined ? undefined : byName.get(nameOf({ app: schedule.app, name: schedule.after }));
    return first === undefined ? 0 : depth(first) + 1;
  };
  return declared
    .map((schedule) => ({ schedule, at: depth(schedule) }))
    .sort((a, b) => a.at - b.at)
    .map(({ schedule }) => schedule);
}

function ofFile({ after, ...schedule }: DeclaredSchedule, ids: ReadonlyMap<string, string>): NewSchedule {
  const afterSchedule = after === undefined ? undefined : ids.get(nameOf({ app: schedule.app, name: after }));
  return { ...schedule, origin: 'file', ...given('afterSchedule', afterSchedule) };
}

function nameOf({ app, name }: { readonly app: string; readonly name: string }): string {
  return `${app}/${name}`;
}
