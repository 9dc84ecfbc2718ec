/** `holdfast check`: is everything there and whole. */
import { EXIT, Failure } from '../../base/failure.ts';
import { shortId } from '../../base/ids.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type CheckOutcome, check } from '../../operations/check.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

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
  async run(context, { options: { storage, readData, seed } }) {
    await using session = await openSession(context);
    const report = await check(session, {
      ...(storage === undefined ? {} : { storage }),
      ...(readData === undefined ? {} : { readData: readData === true ? true : percentage(readData) }),
      ...(seed === undefined ? {} : { seed }),
    });
    await (context.flags.json ? printSummary(context, report) : printReport(context, report));
    return exitOf(report);
  },
});

function percentage(text: string): number {
  const match = /^(\d{1,3}(?:\.\d{1,3})?)%?$/.exec(text);
  const value = match ? Number(match[1]) : 0;
  if (value > 0 && value <= 100) return value;
  throw new Failure('usage', `--read-data: "${text}" does not fit.`, { hint: 'Write a percentage such as 10%.' });
}

/** Damage counts more than a storage that could not be asked. */
function exitOf({ findings, failures }: CheckOutcome): ExitStatus {
  if (findings.length > 0) return EXIT.damaged;
  return failures.size > 0 ? EXIT.partial : EXIT.done;
}

async function printSummary({ output }: Context, report: CheckOutcome): Promise<void> {
  const { depth, findings, failures, storages, points } = report;
  await output.summary({
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
          wal_objects: report.wal.get(name)?.objects ?? 0,
          wal_bytes_read: report.wal.get(name)?.bytesRead ?? 0,
        },
      ]),
    ),
    failures: Object.fromEntries([...failures].map(([name, { code, message }]) => [name, { error: code, message }])),
  });
}

async function printReport({ output }: Context, report: CheckOutcome): Promise<void> {
  for (const { storage, key, detail, points } of report.findings) {
    const hurt =
      points.length === 0
        ? ''
        : ` (points: ${points.slice(0, 5).map(shortId).join(' ')}${points.length > 5 ? ' …' : ''})`;
    await output.line(`${output.style.red('DAMAGED')} ${storage}: ${key} ${detail}${hurt}`);
  }
  for (const { message, hint } of report.failures.values()) await output.warn(message, hint);
  for (const [name, it] of report.storages) {
    const unindexed =
      it.unindexedPacks > 0 ? `; ${it.unindexedPacks} packs in no index, which the next prune frees` : '';
    await output.line(
      `${name}: ${it.packs} packs, ${formatBytes(it.bytes)}, ${formatBytes(it.bytesRead)} read${unindexed}.`,
    );
  }
  for (const [name, { objects, bytesRead }] of report.wal)
    await output.line(`${name}: ${objects} objects of the WAL archive, ${formatBytes(bytesRead)} read.`);
  const { depth } = report;
  if (depth.kind === 'sample') await output.line(`A sample of ${depth.percent} %, drawn by the seed ${depth.seed}.`);
  if (report.findings.length > 0) await output.line('Run "holdfast sync" to heal from the other storages.');
  else await output.line(`No damage found. ${report.points.size} points.`);
}
