/** What `prune` did, or would do: the summary of `--json`, and the same for people. */

import { EXIT, FAILURES, type FailureCode } from '../../base/failure.ts';
import { howMany } from '../../base/how-many.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { PruneOutcome } from '../../operations/prune.ts';
import type { ExitStatus } from '../command.ts';
import type { Context } from '../context.ts';
import { type ToldFailures, told, warnOf } from './failures.ts';

export interface PruneSummary {
  readonly dry_run: boolean;
  readonly storages: Readonly<Record<string, StorageSummary>>;
  readonly points: readonly Decision[];
  readonly failures: ToldFailures;
  /** Locks that could not be prolonged, by storage. */
  readonly lock_failures: ToldFailures;
}

interface StorageSummary {
  readonly points_removed: readonly { readonly id: string; readonly app: string; readonly why: string }[];
  readonly packs_kept: number;
  readonly packs_removed: number;
  readonly packs_repacked: number;
  readonly packs_unindexed: number;
  readonly bytes_removed: number;
  readonly bytes_repacked: number;
  readonly bytes_unused: number;
  readonly refused: number;
  readonly locks_prolonged: number;
  readonly wal_pieces_removed: number;
  readonly wal_bytes_removed: number;
  readonly wal_refused: number;
}

interface Decision {
  readonly storage: string;
  readonly app: string;
  readonly id: string;
  readonly keep: boolean;
  readonly time: string;
  readonly reasons: readonly string[];
}

export function summaryOf(outcome: PruneOutcome): PruneSummary {
  const storages = [...outcome.storages].map(([name, { forgotten, plan, refused }]): [string, StorageSummary] => [
    name,
    {
      points_removed: forgotten.map(({ point, app, pointTime, why }) => ({ id: point, app, time: pointTime, why })),
      packs_kept: plan.keep,
      packs_removed: plan.remove.length,
      packs_repacked: plan.repack.length,
      packs_unindexed: plan.unindexed.length,
      bytes_removed: plan.removedBytes,
      bytes_repacked: plan.repackedBytes,
      bytes_unused: plan.unusedBytes,
      refused,
      locks_prolonged: outcome.prolonged.get(name)?.objects ?? 0,
      wal_pieces_removed: outcome.wal.get(name)?.pieces ?? 0,
      wal_bytes_removed: outcome.wal.get(name)?.bytes ?? 0,
      wal_refused: outcome.wal.get(name)?.refused ?? 0,
    },
  ]);
  const points = outcome.decisions.map((decision) => ({
    ...{ storage: decision.storage, app: decision.app, id: decision.point.id, keep: decision.keep },
    ...{ time: new Date(decision.point.time).toISOString() },
    reasons: decision.keep ? decision.reasons : [decision.why],
  }));
  const locks = [...outcome.prolonged].flatMap(([name, { failure }]) =>
    failure === undefined ? [] : [[name, failure] as const],
  );
  return {
    ...{ dry_run: outcome.dryRun, storages: Object.fromEntries(storages), points, failures: told(outcome.failures) },
    lock_failures: told(new Map(locks)),
  };
}

export async function show(context: Context, summary: PruneSummary): Promise<ExitStatus> {
  if (context.flags.json) await context.output.summary({ ...summary });
  else await print(context, summary);
  const exits = Object.values(summary.failures).map(({ error }) => FAILURES[error as FailureCode]?.exit ?? EXIT.failed);
  if (exits.includes(EXIT.damaged)) return EXIT.damaged;
  if (exits.length === 0) return EXIT.done;
  return Object.keys(summary.storages).length > 0 ? EXIT.partial : EXIT.failed;
}

async function print({ output }: Context, summary: PruneSummary): Promise<void> {
  const { dry_run: dryRun, points } = summary;
  const would = dryRun ? 'would be ' : '';
  const shown = points.filter(({ keep }) => dryRun || !keep);
  if (shown.length > 0) {
    await output.table(shown, [
      { title: 'STORAGE', value: ({ storage }) => storage },
      { title: 'POINT', value: ({ id }) => id.slice(0, 8) },
      { title: 'TIME', value: ({ time }) => formatUtcAndLocal(Date.parse(time)) },
      { title: 'APP', value: ({ app }) => app },
      { title: dryRun ? 'WOULD BE' : '', value: ({ keep }) => (keep ? 'kept' : 'removed') },
      {
        title: 'WHY',
        value: ({ keep, reasons }) => `${keep ? '' : 'no rule keeps it: '}${reasons.join(', ')}`,
        shrinks: true,
      },
    ]);
  }
  const storages = Object.entries(summary.storages);
  for (const [name, it] of storages) {
    const packs = it.packs_removed + it.packs_unindexed;
    await output.line(
      `${name}: ${howMany(it.points_removed.length, 'points')} ${would}removed, ${howMany(packs, 'packs')} ${would}removed, ${it.packs_repacked} ${would}repacked, ` +
        `${formatBytes(it.bytes_removed - it.bytes_repacked)} ${would}freed.`,
    );
    if (it.refused > 0)
      await output.warn(`${name}: ${howMany(it.refused, 'objects')} cannot be removed yet (object lock).`);
  }
  for (const [name, { wal_pieces_removed: pieces, wal_bytes_removed: bytes, wal_refused: refused }] of storages) {
    if (pieces > 0)
      await output.line(
        `${name}: ${howMany(pieces, 'pieces of WAL')} (${formatBytes(bytes)}) ${would}removed: no kept base backup needs them.`,
      );
    if (refused > 0)
      await output.warn(`${name}: ${howMany(refused, 'pieces of WAL')} cannot be removed yet (object lock).`);
  }
  for (const [name, { locks_prolonged: locks }] of storages)
    if (locks > 0) await output.line(`${name}: ${howMany(locks, 'objects')} locked for longer.`);
  await warnOf(output, summary.lock_failures);
  await warnOf(output, summary.failures);
}
