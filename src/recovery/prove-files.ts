/**
 * The files of a point for a proof: restored beside the database, all or some, and read back: every byte that stands on the disk is hashed
 * again and compared with the ids of the point.
 */
import { serverAccount } from '../postgres/account.ts';
import type { IndexedRepository } from '../repository/indexed-repository.ts';
import type { Ownership } from '../repository/restore-metadata.ts';
import { planRestore } from './plan.ts';
import type { OpenedPoint } from './point.ts';
import { Collector, type Finding } from './proof/finding.ts';
import { type RestoredFiles, restoreFiles } from './restore-files.ts';
import { makePlace } from './sandbox/place.ts';
import { checkRoom } from './target.ts';
import type { RecoveryWorld } from './world.ts';

export interface ProofFilesRequest {
  /** An existing directory; each source gets its own in it. */
  readonly target: string;
  readonly sources: readonly string[];
  /** Paths that begin with a source's name; empty for everything. */
  readonly paths: readonly string[];
  readonly ownership: Ownership;
}

export interface ProofFiles {
  readonly files: number;
  /** Plain bytes. */
  readonly bytes: number;
  /** What could not be had. */
  readonly problems: readonly string[];
  readonly problemCount: number;
}

/** A private directory for an app without a database; it goes with the proof, or with the next one where this one is killed. */
export async function openProofPlace(
  { repository }: RecoveryWorld,
  { directory, account }: { readonly directory?: string | undefined; readonly account?: string | undefined },
): Promise<AsyncDisposable & { readonly directory: string }> {
  const place = await makePlace(directory, serverAccount(account), repository.settings.holder);
  return { directory: place.restored, [Symbol.asyncDispose]: () => place[Symbol.asyncDispose]() };
}

/** Throws `target_full`, and what planning throws. */
export async function restoreProofFiles(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  point: OpenedPoint,
  request: ProofFilesRequest,
): Promise<ProofFiles> {
  const plan = await planRestore(indexed, point, { ...request, signal: world.signal });
  await checkRoom(request.target, plan.totals.roomBytes, plan.totals.files);
  const done = await write(world, indexed, plan, request, false);
  const missing = [...plan.problems, ...done.problems].filter((problem) => problem.missing);
  return {
    files: plan.totals.files + plan.totals.hardLinks,
    bytes: plan.totals.bytes,
    problems: missing.map(({ path, message }) => `${path}: ${message}`),
    problemCount: missing.length,
  };
}

/** Hashes what stands there. What was missing from the start is named; what reads back otherwise than it was written is damage of this disk. */
export async function verifyProofFiles(
  world: RecoveryWorld,
  indexed: IndexedRepository,
  point: OpenedPoint,
  request: ProofFilesRequest,
  restored: ProofFiles,
): Promise<Finding> {
  const found = new Collector('files', request.sources.join(', '), 'files', world.clock);
  for (const problem of restored.problems) found.problem(problem);
  const plan = await planRestore(indexed, point, { ...request, signal: world.signal });
  found.count(plan.totals.files + plan.totals.hardLinks);
  const { bytesWritten } = await write(world, indexed, plan, request, true);
  if (bytesWritten > 0 && restored.problemCount === 0)
    found.missingHere(`${bytesWritten} bytes did not read back from ${request.target} as they had been written.`);
  return found.finish();
}

async function write(
  { signal, progress }: RecoveryWorld,
  indexed: IndexedRepository,
  plan: Awaited<ReturnType<typeof planRestore>>,
  { target, ownership }: ProofFilesRequest,
  again: boolean,
): Promise<RestoredFiles> {
  const step = again ? 'prove:hash' : 'prove:files';
  const { bytes: totalBytes, files: totalItems } = plan.totals;
  progress({ type: 'step', step, title: again ? 'hashing the files' : 'restoring the files', totalBytes, totalItems });
  const done = await restoreFiles(indexed, plan, {
    target,
    continues: again,
    made: false,
    durable: false,
    ownership,
    signal,
    onProgress: ({ bytes, kept, files }) => progress({ type: 'advance', step, bytes: bytes + kept, items: files }),
  });
  progress({ type: 'done', step, outcome: done.missing === 0 ? 'done' : 'failed' });
  return done;
}
