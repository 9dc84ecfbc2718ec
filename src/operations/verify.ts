/**
 * A small part of what `check` does, often: whether the storages hold all of one point, or whether a slice of all packs can be read back.
 * Slices divide everything by the objects' ids, so that whoever reads all slices in turn has read everything, with no book of it here.
 */
import type { Id } from '../base/ids.ts';
import { readManifest } from '../recovery/read-manifest.ts';
import { type CheckDepth, type CheckReport, checkRepository, isRead } from '../repository/check.ts';
import { idOfKey } from '../repository/keys.ts';
import { type Damage, recordDamage } from '../repository/meta-damage.ts';
import { inMask } from '../repository/replicas.ts';
import { listSnapshots, pickSnapshot } from '../repository/snapshots.ts';
import { bestEffort } from './best-effort.ts';
import { pointsOf } from './points.ts';
import type { Session } from './session.ts';
import { checkWal, type WalCheck } from './wal/check.ts';

export interface VerifyOutcome extends CheckReport {
  /** The point that was looked at. */
  readonly point?: Id;
  /** Storages that were looked at and have nothing of the point: "holdfast sync" brings it to them. */
  readonly behind: readonly string[];
  readonly wal: ReadonlyMap<string, WalCheck>;
}

/**
 * Whether each storage has all of a point, by presence and size, and its directories and manifest can be read. `prefix`: an id, its first
 * digits, or `latest`. Throws `point_unknown`, `data_damaged`.
 */
export async function verifyPoint(
  session: Session,
  { app, prefix, storage }: { readonly app: string; readonly prefix: string; readonly storage?: string },
): Promise<VerifyOutcome> {
  const { repository, progress } = session;
  const chosen = pickSnapshot(pointsOf(await listSnapshots(repository), app), prefix);
  const depth: CheckDepth = { kind: 'slices', slices: new Set(), of: 1 };
  const report = await checkRepository(repository, { depth, trace: [chosen.id], progress, ...only(storage) });
  await readManifest(await repository.loadIndex(), chosen, app);
  await remember(session, report, (known) => known.points.length === 1 && known.points[0] === chosen.id);
  const holders = new Set(inMask(repository.replicas, chosen.mask).map(({ name }) => name));
  const behind = [...report.storages.keys()].filter((name) => !holders.has(name));
  return { ...report, point: chosen.id, behind, wal: new Map() };
}

export interface SlicesInput {
  readonly slices: ReadonlySet<number>;
  /** Of so many. */
  readonly of: number;
  readonly storage?: string;
}

/** Reads the packs and the WAL of some slices, opens every blob of them, and looks at presence and size of the rest. */
export async function verifySlices(session: Session, { slices, of, storage }: SlicesInput): Promise<VerifyOutcome> {
  const { repository, progress } = session;
  const depth: CheckDepth = { kind: 'slices', slices, of };
  const checked = await checkRepository(repository, { depth, trace: [], progress, ...only(storage) });
  const wal = await checkWal(session, new Set(checked.storages.keys()), depth);
  const report = { ...checked, findings: [...checked.findings, ...wal.findings] };
  await remember(session, report, ({ key }) => {
    const id = key.startsWith('data/') ? idOfKey(key) : undefined;
    return id !== undefined && isRead(depth, id);
  });
  return { ...report, behind: [], wal: wal.checked };
}

function only(storage: string | undefined): { readonly storages?: readonly string[] } {
  return storage === undefined ? {} : { storages: [storage] };
}

/** For "holdfast sync" to heal. `isWhole`: what was looked at deep enough to say that damage known before is gone. */
async function remember(session: Session, report: CheckReport, isWhole: (known: Damage) => boolean): Promise<void> {
  const { findings, storages } = report;
  await bestEffort(session, 'What was found could not be recorded', () =>
    recordDamage(session.repository, findings, (known) => storages.has(known.storage) && isWhole(known)),
  );
}
