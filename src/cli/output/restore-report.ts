/** How a restore is told to a person: what, from where, how much, what went wrong, the way back. */

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { formatDuration } from '../../base/durations.ts';
import { formatCount, howMany } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal, withLocal } from '../../base/relative-time.ts';
import { shellCommand } from '../../base/shell-words.ts';
import { formatBytes } from '../../base/sizes.ts';
import type { RestoreOutcome } from '../../operations/restore.ts';
import type { RestoreInPlaceOutcome } from '../../operations/restore-in-place.ts';
import type { RestoreMomentOutcome } from '../../operations/restore-moment.ts';
import type { Output } from './output.ts';

const SHOWN_PROBLEMS = 20;
const SHOWN_REPLACED = 20;

export async function printRestore(output: Output, outcome: RestoreOutcome): Promise<void> {
  await printHead(output, outcome);
  await output.line(`  to      ${printable(outcome.target)}`);
  await printAmounts(output, outcome);
  await printProblems(output, outcome);
  await printStart(output, outcome);
}

export async function printMoment(output: Output, outcome: RestoreMomentOutcome): Promise<void> {
  await printHead(output, outcome);
  await printReached(output, outcome);
  await output.line(`  to      ${printable(outcome.target)}`);
  await printAmounts(output, outcome);
  await printProblems(output, outcome);
  if (outcome.moment.replayed) await printStart(output, outcome);
  if (outcome.moment.replayed || outcome.mode === 'dry-run') return;
  await output.line();
  await output.line(
    'The log is not replayed yet. Start PostgreSQL on the data directory, as its owner, which must find "holdfast" in its PATH and may read ' +
      'the configuration and its secrets:',
  );
  const data = `${outcome.target}/${outcome.sources.at(-1) ?? ''}`;
  await output.line(`  ${printable(shellCommand(['postgres', '-D', data]))}`);
  await output.line(
    'It opens for business at the moment. Then remove what Holdfast added to its postgresql.auto.conf.',
  );
}

/** What to type next. Only a directory that is whole has both files: PostgreSQL would start from nothing less. */
async function printStart(output: Output, { mode, target, sources, missing }: RestoreOutcome): Promise<void> {
  if (mode === 'dry-run' || missing > 0) return;
  for (const source of sources) {
    const data = join(target, source);
    const major = await readFile(join(data, 'PG_VERSION'), 'utf8').catch(() => undefined);
    if (major === undefined || !existsSync(join(data, 'global', 'pg_control'))) continue;
    const command = shellCommand(['postgres', '-D', data, '-p', '5499', '-c', 'archive_mode=off']);
    await output.line();
    await output.line(
      `To look at "${printable(source)}": start PostgreSQL ${printable(major.trim())} on it, as the account that owns it, on another port:`,
    );
    await output.line(`  ${printable(command)}`);
  }
}

async function printReached(
  output: Output,
  { moment, files_from: files }: Pick<RestoreMomentOutcome, 'moment' | 'files_from'>,
): Promise<void> {
  const {
    requested,
    reached_lsn: lsn,
    reached_time: time,
    wal_segments: segments,
    replay_s: seconds,
    timeline,
  } = moment;
  const commit = time === null ? 'no commit in the log' : `last commit ${formatUtcAndLocal(Date.parse(time))}`;
  await output.line(`  moment  ${printable(withLocal(requested))}`);
  if (lsn !== null) {
    await output.line(`  reached ${lsn} on timeline ${timeline}, ${commit}`);
    await output.line(`  log     ${howMany(segments, 'segments')} in ${formatDuration(seconds * 1000)}`);
  }
  if (files === null) return;
  const apart = files.seconds_before === null ? '' : `, ${distance(files.seconds_before)} the moment`;
  await output.line(`  files   of point ${files.short_id}, ${formatUtcAndLocal(Date.parse(files.time))}${apart}`);
}

function distance(secondsBefore: number): string {
  return `${formatDuration(Math.abs(secondsBefore) * 1000)} ${secondsBefore < 0 ? 'after' : 'before'}`;
}

export async function printInPlace(output: Output, outcome: RestoreInPlaceOutcome): Promise<void> {
  await printHead(output, outcome);
  const { moment, files_from = null } = outcome;
  if (moment !== undefined) await printReached(output, { moment, files_from });
  for (const { source, path, before } of outcome.replaced.slice(0, SHOWN_REPLACED)) {
    const kept = before === null || outcome.mode === 'dry-run' ? '' : `; before: ${printable(before)}`;
    await output.line(`  in      ${printable(path)} (${printable(source)})${kept}`);
  }
  const more = outcome.replaced.length - SHOWN_REPLACED;
  if (more > 0) await output.line(`  in      ${more} more places; --json lists them`);
  await printAmounts(output, outcome);
  await printProblems(output, outcome);
  if (outcome.way_back.length === 0) return;
  await output.line();
  await output.line('The way back, should it be needed:');
  for (const command of outcome.way_back) await output.line(`  ${printable(command)}`);
}

async function printHead(output: Output, outcome: RestoreOutcome): Promise<void> {
  const part = outcome.missing > 0 ? ' part of' : '';
  const verb = `${outcome.mode === 'dry-run' ? 'Would restore' : 'Restored'}${part}`;
  const when = formatUtcAndLocal(Date.parse(outcome.time));
  const what = output.style.bold(`${verb} point ${outcome.short_id}`);
  await output.line(`${what} of ${printable(outcome.app ?? 'no app')}, ${when}`);
}

async function printAmounts(output: Output, outcome: RestoreOutcome): Promise<void> {
  await printSources(output, outcome);
  await output.line(
    `  files   ${formatCount(outcome.files)} in ${howMany(outcome.directories, 'directories')}, ${formatBytes(outcome.bytes)}`,
  );
  if (outcome.missing > 0) await output.line(`  missing ${howMany(outcome.missing, 'files')}; see below`);
  for (const [name, bytes] of Object.entries(outcome.bytes_fetched)) {
    await output.line(`  from    ${name}: ${formatBytes(bytes)}`);
  }
  if (outcome.bytes_kept > 0) {
    await output.line(`  kept    ${formatBytes(outcome.bytes_kept)} of an earlier, unfinished run`);
  }
  if (outcome.reason !== null) await output.line(`  reason  ${printable(outcome.reason)}`);
  await output.line(`  by      ${printable(outcome.by)}, in ${formatDuration(outcome.duration_s * 1000)}`);
}

/** From which point each is, where that is not the same for all. */
async function printSources(output: Output, { sources, points }: RestoreOutcome): Promise<void> {
  if (points.length < 2) return output.line(`  sources ${sources.map(printable).join(', ')}`);
  for (const [at, { sources: some, short_id, time }] of points.entries()) {
    const from = `of point ${short_id}, ${formatUtcAndLocal(Date.parse(time))}`;
    await output.line(`  ${at === 0 ? 'sources' : '       '} ${some.map(printable).join(', ')} ${from}`);
  }
}

async function printProblems(output: Output, outcome: RestoreOutcome): Promise<void> {
  for (const { storage, count, message } of outcome.storage_problems) {
    const often = count === 1 ? 'once' : `${formatCount(count)} times; the first time`;
    await output.warn(`${storage} failed ${often}: ${printable(message)}`);
  }
  for (const { path, message } of outcome.problems.slice(0, SHOWN_PROBLEMS)) {
    await output.warn(`${printable(path)}: ${printable(message)}`);
  }
  const more = outcome.problem_count - SHOWN_PROBLEMS;
  if (more > 0) await output.warn(`${formatCount(more)} more problems; --json lists up to a thousand.`);
  if (outcome.missing > 0) {
    const hint = 'Run "holdfast sync" to heal the storages, then the same restore again: it continues.';
    await output.warn(`${howMany(outcome.missing, 'files')} could not be restored.`, hint);
  }
}
