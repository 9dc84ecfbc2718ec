/** Mutes: for a while nothing is sent about alerts that match; they stand in the list all the same. */
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { newId } from '../base/ids.ts';
import type { Alert, Severity } from './alerts/alert.ts';
import { type CatalogDb, storable } from './database.ts';
import type { MutesTable } from './schema.ts';

/** Whatever is given must be the same; nothing given matches every alert. */
export interface MuteMatch {
  readonly rule?: string;
  readonly app?: string;
  readonly storage?: string;
  readonly severity?: Severity;
}

/** Times are ms since the epoch. */
export interface Mute {
  readonly id: string;
  readonly matches: MuteMatch;
  readonly until: number;
  readonly reason?: string;
  readonly createdBy: string;
  readonly createdAt: number;
}

export type NewMute = Pick<Mute, 'matches' | 'until' | 'reason' | 'createdBy'>;

export async function addMute(db: CatalogDb, { matches, until, reason, createdBy }: NewMute, now: number) {
  const row: MutesTable = {
    ...{ id: newId(now), matches: JSON.stringify(matches), until, created_at: now },
    ...{ reason: reason === undefined ? null : storable(reason), created_by: storable(createdBy) },
  };
  await db.insertInto('mutes').values(row).execute();
  return toMute(row);
}

/** Those that hold now. */
export async function listMutes(db: CatalogDb, now: number): Promise<Mute[]> {
  const rows = await db.selectFrom('mutes').selectAll().where('until', '>', now).orderBy('id').execute();
  return rows.map(toMute);
}

/** Throws `mute_unknown`. */
export async function removeMute(db: CatalogDb, id: string): Promise<void> {
  const removed = await db.deleteFrom('mutes').where('id', '=', id).executeTakeFirst();
  if (removed.numDeletedRows === 0n) throw new Failure('mute_unknown', `There is no mute ${id}.`);
}

/** Whether nothing is to be sent about the alert now. */
export function isMuted(alert: Alert, mutes: readonly Mute[], now: number): boolean {
  if (alert.mutedUntil !== undefined && alert.mutedUntil > now) return true;
  return mutes.some(({ matches, until }) => until > now && fits(alert, matches));
}

function fits(alert: Alert, { rule, app, storage, severity }: MuteMatch): boolean {
  const same = <T>(asked: T | undefined, found: T | undefined) => asked === undefined || asked === found;
  return (
    same(rule, alert.rule) && same(app, alert.app) && same(storage, alert.storage) && same(severity, alert.severity)
  );
}

function toMute(row: MutesTable): Mute {
  return {
    ...{ id: row.id, matches: JSON.parse(row.matches) as MuteMatch, until: row.until },
    ...given('reason', row.reason ?? undefined),
    ...{ createdBy: row.created_by, createdAt: row.created_at },
  };
}
