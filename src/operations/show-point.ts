/** Everything about one point: its summary and its manifest. */
import { Failure } from '../base/failure.ts';
import type { Manifest } from '../recovery/manifest.ts';
import { readManifest } from '../recovery/read-manifest.ts';
import { listSnapshots, pickSnapshot } from '../repository/snapshots.ts';
import { listPoints, type PointSummary } from './list-points.ts';
import { pointsOf } from './points.ts';
import { listProofs } from './proofs.ts';
import type { ProofReport } from './prove/report.ts';
import type { Session } from './session.ts';

export type { Manifest, SourceRecord } from '../recovery/manifest.ts';

export interface PointDetails {
  readonly point: PointSummary;
  readonly manifest: Manifest;
  /** Of the newest test restore that began from this point, passed or not. */
  readonly lastProof: ProofReport | undefined;
}

/** `prefix`: an id, its first digits, or `latest`. */
export async function showPoint(session: Session, app: string, prefix: string): Promise<PointDetails> {
  const { repository } = session;
  const chosen = pickSnapshot(pointsOf(await listSnapshots(repository), app), prefix);
  const { points } = await listPoints(session, { app, sources: [] });
  const point = points.find(({ id }) => id === chosen.id);
  if (point === undefined) throw new Failure('point_unknown', 'The point was removed a moment ago.');
  const manifest = await readManifest(await repository.loadIndex(), chosen, app);
  return { point, manifest, lastProof: (await listProofs(session, app, chosen.id)).at(-1) };
}
