/** `holdfast check`: is everything there and whole. */

import { EXIT, Failure } from '../../base/failure.ts';
import { howMany } from '../../base/how-many.ts';
import { shortId } from '../../base/ids.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type CheckOutcome, check } from '../../operations/check.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { type ToldFailures, told, warnOf } from '../output/failures.ts';

export default defineCommand({
  details:
    'Always: indexes decode, packs are there with exactly the right size, every point loads, every directory of it is readable, every ' +
    'blob it needs is on that storage, and every stored object hashes to its name. All data is read for that, on every storage. ' +
    'With --read-data every blob is decrypted, decompressed and hashed as well. With --read-data=N% only a random N % of the packs is ' +
    'read (and opened); the others are looked at by presence and size: the cheap check for storages that charge for reading. ' +
    'Nothing is changed; what is damaged is remembered, and "holdfast sync" heals it.',
  options: {
    storage: option.text('S', 'only this storage'),
    readData: option.optionalText('N%', 'decrypt and hash every blob, or read a random N % only'),
    seed: option.text('SEED', 'draw the same sample again, as told by an earlier check'),
  },
  examples: [
    ['holdfast check', 'hash everything on every storage'],
    ['holdfast check --storage r2 --read-data=5%', 'read a twentieth of one storage'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'Nothing was changed. Run it again for a whole answer.',
  async run(context, { options: { storage, readData, seed } }) {
    await using session = await openSession(context, { thread: 'verify-worker' });
    const report = await check(session, {
      ...(storage === undefined ? {} : { storage }),
      ...(readData === undefined ? {} : { readData: readData === true ? true : percentage(readData) }),
      ...(seed === undefined ? {} : { seed }),
    });
    return show(context, summaryOf(report));
  },
  async remote(context, { options: { storage, readData, seed } }) {
    if (seed !== undefined) throw new Failure('usage', '--seed does not work through a server.');
    const share = readData === undefined ? undefined : readData === true ? '100%' : `${percentage(readData)}%`;
    return show(context, await context.server.run<Summary>('check', { storage, readData: share }));
  },
});

function percentage(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,3})?)%?$/.exec(text);
  const value = match ? Number(match[1]) : 0;
  if (value > 0 && value <= 100) return value;
  throw new Failure('usage', `--read-data: "${text}" does not fit.`, { hint: 'Write a percentage such as 10%.' });
}

/** What `--json` prints. */
interface Summary {
  readonly depth: string;
  readonly percent?: number;
  readonly seed?: string;
  readonly points: number;
  readonly findings: CheckOutcome['findings'];
  readonly storages: Readonly<Record<string, StorageSummary>>;
  readonly failures: ToldFailures;
}

interface StorageSummary {
  readonly packs: number;
  readonly bytes: number;
  readonly bytes_read: number;
  readonly unindexed_packs: number;
  readonly sound_points: number;
  readonly wal_objects: number;
  readonly wal_bytes_read: number;
}

function summaryOf({ depth, findings, failures, storages, points, wal }: CheckOutcome): Summary {
  return {
    depth: depth.kind,
    ...(depth.kind === 'sample' ? { percent: depth.percent, seed: depth.seed } : {}),
    points: points.size,
    findings,
    storages: Object.fromEntries(
      [...storages].map(([name, it]) => [
        name,
        {
          packs: it.packs,
          bytes: it.bytes,
          bytes_read: it.bytesRead,
          unindexed_packs: it.unindexedPacks,
          sound_points: it.soundPoints.length,
          wal_objects: wal.get(name)?.objects ?? 0,
          wal_bytes_read: wal.get(name)?.bytesRead ?? 0,
        },
      ]),
    ),
    failures: told(failures),
  };
}

/** Damage counts more than a storage that could not be asked. */
async function show(context: Context, summary: Summary): Promise<ExitStatus> {
  if (context.flags.json) await context.output.summary({ ...summary });
  else await printReport(context, summary);
  if (summary.findings.length > 0) return EXIT.damaged;
  return Object.keys(summary.failures).length > 0 ? EXIT.partial : EXIT.done;
}

async function printReport({ output }: Context, summary: Summary): Promise<void> {
  for (const { storage, key, detail, points } of summary.findings) {
    const hurt =
      points.length === 0
        ? ''
        : ` (points: ${points.slice(0, 5).map(shortId).join(' ')}${points.length > 5 ? ' …' : ''})`;
    await output.line(`${output.style.red('DAMAGED')} ${storage}: ${key}: ${detail}${hurt}`);
  }
  await warnOf(output, summary.failures);
  const storages = Object.entries(summary.storages);
  for (const [name, it] of storages) {
    const unindexed =
      it.unindexed_packs > 0 ? `; ${howMany(it.unindexed_packs, 'packs')} in no index, which the next prune frees` : '';
    await output.line(
      `${name}: ${howMany(it.packs, 'packs')}, ${formatBytes(it.bytes)}, ${formatBytes(it.bytes_read)} read${unindexed}.`,
    );
  }
  for (const [name, { wal_objects: objects, wal_bytes_read: bytes }] of storages)
    if (objects > 0)
      await output.line(`${name}: ${howMany(objects, 'objects of the WAL archive')}, ${formatBytes(bytes)} read.`);
  if (summary.depth === 'sample')
    await output.line(`A sample of ${summary.percent} %, drawn by the seed ${summary.seed}.`);
  if (summary.findings.length > 0) await output.line('Run "holdfast sync" to heal from the other storages.');
  else await output.line(`No damage found. ${howMany(summary.points, 'points')}.`);
}
