/** `holdfast restore POINT`: gets a point, or part of one, back. */
import { resolve } from 'node:path';
import { formatDuration } from '../../base/durations.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { thisProcess } from '../../operations/holder.ts';
import { chooseOwnership, type RestoreOutcome, restore } from '../../operations/restore.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Restores into a new directory: DIR/<source>/…; a database is a data directory that "postgres -D DIR/<source>" starts. The plan is made ' +
    'first; everything is verified while it is read, and what one storage cannot give comes from another. Interrupted, the same command ' +
    'continues and fetches nothing twice. As root, owners come back as they were; anybody else owns what they restore.',
  arguments: { point: argument.required('POINT', 'id, its first digits, or "latest"') },
  options: {
    to: option.text('DIR', 'a new or empty directory'),
    source: option.texts('S', 'only this source (may be given several times)'),
    path: option.texts(
      'GLOB',
      'only these paths, relative to the source or beginning with its name (may be given several times)',
    ),
    storage: option.text('NAME', 'read from this storage only'),
    owner: option.text('USER[:GROUP]', 'give everything to this account'),
    noOwner: option.flag('leave everything to the account that runs the restore'),
    reason: option.text('R', 'why; kept in the record of the restore'),
    dryRun: option.flag('say what would be restored from where, do nothing'),
  },
  examples: [
    ['holdfast restore latest --to /srv/restored', 'everything of the newest point'],
    ['holdfast restore 1f0c --to /tmp/x --source media --path "photos/2026/**"', 'some files'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  async run(context, { arguments: { point }, options }) {
    if (options.to === undefined) {
      throw new Failure('usage', 'Where to? A restore needs --to DIR.', { hint: 'Name a new directory.' });
    }
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const ownership = await chooseOwnership(options.owner, options.noOwner);
    await using session = await openSession(context);
    const { storage, reason } = options;
    const outcome = await restore(session, {
      app,
      point,
      target: resolve(context.cwd, options.to),
      sources: options.source,
      paths: options.path,
      ...(storage === undefined ? {} : { storage }),
      ...(reason === undefined ? {} : { reason }),
      ownership,
      dryRun: options.dryRun,
      by: thisProcess(),
    });
    if (context.flags.json) await context.output.summary({ ...outcome });
    else await print(context, outcome);
    if (outcome.missing > 0) return EXIT.damaged;
    return outcome.problem_count > 0 ? EXIT.partial : EXIT.done;
  },
});

const SHOWN_PROBLEMS = 20;

async function print({ output }: Context, outcome: RestoreOutcome): Promise<void> {
  const { style } = output;
  const verb = outcome.mode === 'dry-run' ? 'Would restore' : 'Restored';
  const when = formatUtcAndLocal(Date.parse(outcome.time));
  await output.line(`${style.bold(`${verb} point ${outcome.short_id}`)} of ${outcome.app ?? 'no app'}, ${when}`);
  await output.line(`  to      ${printable(outcome.target)}`);
  await output.line(`  sources ${outcome.sources.map(printable).join(', ')}`);
  await output.line(`  files   ${outcome.files} in ${outcome.directories} directories, ${formatBytes(outcome.bytes)}`);
  for (const [name, bytes] of Object.entries(outcome.bytes_fetched)) {
    await output.line(`  from    ${name}: ${formatBytes(bytes)}`);
  }
  if (outcome.bytes_kept > 0)
    await output.line(`  kept    ${formatBytes(outcome.bytes_kept)} of an earlier, unfinished run`);
  if (outcome.reason !== null) await output.line(`  reason  ${printable(outcome.reason)}`);
  await output.line(`  by      ${printable(outcome.by)}, in ${formatDuration(outcome.duration_s * 1000)}`);
  for (const { storage, count, message } of outcome.storage_problems) {
    await output.warn(`${storage} failed ${count} times; the first time: ${printable(message)}`);
  }
  await printProblems({ output }, outcome);
}

async function printProblems({ output }: Pick<Context, 'output'>, outcome: RestoreOutcome): Promise<void> {
  for (const { path, message } of outcome.problems.slice(0, SHOWN_PROBLEMS)) {
    await output.warn(`${printable(path)}: ${printable(message)}`);
  }
  const more = outcome.problem_count - SHOWN_PROBLEMS;
  if (more > 0) await output.warn(`${more} more problems; --json lists up to a thousand.`);
  if (outcome.missing > 0) {
    const hint = 'Run "holdfast sync" to heal the storages, then the same restore again: it continues.';
    await output.warn(`${outcome.missing} files could not be restored.`, hint);
  }
}
