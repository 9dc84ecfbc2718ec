/** `holdfast backup`: makes a restore point. */

import { cacheDirectory } from '../../base/cache-directory.ts';
import { formatDuration } from '../../base/durations.ts';
import { EXIT } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { formatCount, howMany } from '../../base/how-many.ts';
import { printable } from '../../base/printable.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import { formatBytes } from '../../base/sizes.ts';
import { type BackUpOutcome, backUp } from '../../operations/back-up.ts';
import { thisProcess } from '../../operations/holder.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';

export default defineCommand({
  details:
    'Reads the sources of the app once, stores what is new in every storage, and makes all of it visible as one restore point. A storage that ' +
    'fails does not stop the others; "holdfast sync" brings it level later. Interrupted, it leaves nothing visible, and what was stored is ' +
    'used by the next backup or removed by "holdfast prune".',
  options: {
    source: option.texts('S', 'only this source (may be given several times)'),
    label: option.text('L', 'a name for the point, such as "before upgrade"'),
    reason: option.text('R', 'why it is made; kept in the manifest'),
    full: option.flag('read databases whole, also where reading what changed would do, and hash everything anew'),
  },
  examples: [
    ['holdfast backup', 'all sources of the app'],
    ['holdfast backup --label before-upgrade --reason "Django 5.2"', 'a point to come back to'],
    ['holdfast backup --source media', 'only one source'],
  ],
  exits: [EXIT.partial, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'Nothing half-made is visible: "holdfast points" shows what there is. Run the backup again.',
  async run(context, { options: { source, label, reason, full } }) {
    const config = await context.config();
    const name = config.appName(context.flags.app);
    const app = await config.app(name);
    const all = config.sourceTypes(name).map((each) => each.name);
    const names = source.length > 0 ? [...new Set(source)] : all;
    const sources = await Promise.all(names.map((each) => config.source(name, each)));
    await using session = await openSession(context, { thread: 'seal-worker' });
    const outcome = await backUp(session, {
      app,
      sources,
      otherSources: all.filter((each) => !names.includes(each)),
      packing: await config.packing(),
      requiredCopies: await config.requiredCopies(),
      ...(label === undefined ? {} : { label }),
      ...(reason === undefined ? {} : { reason }),
      full,
      ...given('cacheDirectory', cacheDirectory(context.env)),
      programVersion: context.build.version,
      machine: thisProcess(),
    });
    return report(context, outcome);
  },
  async remote(context, { options: { source, label, reason, full } }) {
    return report(context, await context.server.run<BackUpOutcome>('backup', { source, label, reason, full }));
  },
});

async function report(context: Context, outcome: BackUpOutcome): Promise<ExitStatus> {
  if (context.flags.json) await context.output.summary({ ...outcome });
  else await print(context, outcome);
  return outcome.partial ? EXIT.partial : EXIT.done;
}

async function print({ output }: Context, outcome: BackUpOutcome): Promise<void> {
  const { style } = output;
  const when = formatUtcAndLocal(Date.parse(outcome.time));
  await output.line(`${style.bold(`Restore point ${outcome.short_id}`)} of ${outcome.app}, ${when}`);
  for (const [name, source] of Object.entries(outcome.sources)) {
    const [made, changed, same] = [source.files_new, source.files_changed, source.files_unmodified].map((count) =>
      formatCount(count),
    );
    const files = `${made} new, ${changed} changed, ${same} unmodified files`;
    await output.line(`  ${name}: read ${formatBytes(source.bytes_read)} (${files})`);
  }
  const ratio = outcome.bytes_added > 0 ? `, stored as ${formatBytes(outcome.bytes_stored)}` : '';
  await output.line(
    `  new: ${formatBytes(outcome.bytes_added)}${ratio} in ${formatDuration(outcome.duration_s * 1000)}`,
  );
  for (const [name, state] of Object.entries(outcome.storages)) {
    const ownWords = state.startsWith(`${name}: `) ? state.slice(name.length + 2) : state;
    const shown = state === 'complete' ? style.green('complete') : style.yellow(printable(ownWords));
    await output.line(`  ${name}: ${shown}`);
  }
  if (outcome.copies < outcome.copies_required) {
    const copies = `${outcome.copies} of the ${outcome.copies_required} copies asked for`;
    await output.warn(`The point has ${copies}.`, 'Mend the storage, then run "holdfast sync".');
  }
  const unread = outcome.notices.filter(({ kind }) => kind === 'unreadable' || kind === 'damaged').length;
  if (unread > 0)
    await output.warn(`${howMany(unread, 'items')} could not be read whole, as listed above and in the manifest.`);
}
