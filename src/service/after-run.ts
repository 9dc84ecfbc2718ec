/** What the catalog keeps of a run that ended, and what the run asks for: written in the transaction that ends it. */
import type { CatalogDb } from '../catalog/catalog.ts';
import type { RunEnd } from '../catalog/claim.ts';
import { measure, type NewMeasurement } from '../catalog/measurements.ts';
import { savePoint } from '../catalog/points.ts';
import type { Run } from '../catalog/runs.ts';
import type { VerificationSettings } from '../config/schedule-settings.ts';
import { enqueue } from '../scheduler/enqueue.ts';
import { followUps } from '../scheduler/follow-ups.ts';
import type { Params } from '../scheduler/kinds.ts';
import { noteSample } from '../scheduler/verification.ts';

type Outcome = Readonly<Record<string, unknown>>;

export async function afterRun(
  db: CatalogDb,
  { run, params, end }: { readonly run: Run; readonly params: Params; readonly end: RunEnd },
  verification: VerificationSettings,
  now: number,
): Promise<void> {
  const { outcome } = end;
  if (outcome !== undefined) {
    if (run.kind === 'verify') await noteSample(db, params, outcome, now);
    if (run.kind === 'backup') await notePoint(db, run, outcome, now);
    await measure(db, figures(run, outcome), now);
  }
  for (const asked of followUps(run, end, verification, now)) await enqueue(db, asked, now);
}

/** The point as the storages would tell it; the next look at them corrects it. */
async function notePoint(db: CatalogDb, run: Run, outcome: Outcome, now: number): Promise<void> {
  const { point, time, label, bytes, sources, storages, bytes_stored: stored } = outcome;
  if (typeof point !== 'string' || typeof time !== 'string' || typeof bytes !== 'number') return;
  const complete = Object.entries(asRecord(storages)).flatMap(([name, state]) => (state === 'complete' ? [name] : []));
  await savePoint(
    db,
    {
      ...{ id: point, app: run.app, time: Date.parse(time), bytes, proof: 'stored', pinned: false },
      ...{ sources: Object.keys(asRecord(sources)), storages: complete, runId: run.id },
      ...(typeof label === 'string' ? { label } : {}),
      ...(typeof stored === 'number' ? { bytesStored: stored } : {}),
    },
    now,
  );
}

/** Names end in their unit; alerts and metrics compare them with what is usual. */
function figures({ kind, app }: Run, outcome: Outcome): NewMeasurement[] {
  const all: [string, unknown][] = [
    [`${kind}_seconds`, outcome.duration_s],
    ...(kind === 'backup'
      ? ([
          ['backup_read_bytes', readBytes(outcome)],
          ['backup_added_bytes', outcome.bytes_added],
          ['backup_stored_bytes', outcome.bytes_stored],
        ] as [string, unknown][])
      : []),
    ...(kind === 'prove' ? ([['prove_rto_seconds', outcome.rto_seconds]] as [string, unknown][]) : []),
  ];
  return all.flatMap(([name, value]) => (typeof value === 'number' ? [{ name, app, value }] : []));
}

function readBytes({ sources }: Outcome): number {
  return Object.values(asRecord(sources)).reduce<number>((sum, source) => {
    const { bytes_read: bytes } = asRecord(source);
    return sum + (typeof bytes === 'number' ? bytes : 0);
  }, 0);
}

function asRecord(value: unknown): Outcome {
  return typeof value === 'object' && value !== null ? (value as Outcome) : {};
}
