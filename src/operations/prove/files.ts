/** The files of a proof: from which point, which of them, and where to. */
import { randomInt } from 'node:crypto';
import { type OpenedPoint, openPoint } from '../../recovery/point.ts';
import type { Finding } from '../../recovery/prove.ts';
import {
  type ProofFiles,
  type ProofFilesRequest,
  restoreProofFiles,
  verifyProofFiles,
} from '../../recovery/prove-files.ts';
import { sampleFiles } from '../../recovery/prove-sample.ts';
import type { RecoveryWorld } from '../../recovery/world.ts';
import type { IndexedRepository } from '../../repository/indexed-repository.ts';
import { type StoredSnapshot, timeOf } from '../../repository/snapshots.ts';

/** So many files are a sample. */
const SAMPLE = 100;

export interface RestoredProofFiles {
  readonly point: OpenedPoint;
  readonly request: ProofFilesRequest;
  readonly restored: ProofFiles;
  readonly sample: { readonly files: number; readonly out_of: number } | null;
}

/** The newest point that is not newer than `time`, in milliseconds since the epoch. */
export async function pointAt(
  indexed: IndexedRepository,
  points: readonly StoredSnapshot[],
  time: number,
): Promise<OpenedPoint | undefined> {
  const stored = points.findLast((point) => timeOf(point) <= time);
  return stored === undefined ? undefined : openPoint(indexed, stored);
}

/** Undefined where the point has nothing beside its databases. */
export async function restoreFilesOf(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  point: OpenedPoint,
  { target, sample }: { readonly target: string; readonly sample: boolean },
): Promise<RestoredProofFiles | undefined> {
  const sources = fileSourcesOf(point);
  if (sources.length === 0) return undefined;
  const drawn = sample
    ? await sampleFiles(indexed, point, { sources, size: SAMPLE, random: (below) => randomInt(below) })
    : undefined;
  // As few as that are restored all, links and empty directories with them.
  const isSample = drawn !== undefined && drawn.outOf > SAMPLE;
  const paths = isSample ? drawn.paths : [];
  const request = { target, sources, paths, ownership: process.getuid?.() === 0 ? 'recorded' : 'none' } as const;
  const restored = await restoreProofFiles(world, indexed, point, request);
  return {
    point,
    request,
    restored,
    sample: drawn === undefined ? null : { files: paths.length, out_of: drawn.outOf },
  };
}

export function verifyFilesOf(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  { point, request, restored }: RestoredProofFiles,
): Promise<Finding> {
  return verifyProofFiles(world, indexed, point, request, restored);
}

function fileSourcesOf({ nodes, manifest }: OpenedPoint): string[] {
  return nodes
    .filter(({ type, name }) => type === 'dir' && manifest?.sources[name.toString()]?.type !== 'postgres')
    .map(({ name }) => name.toString());
}
