/** `holdfast prune`: applies retention and frees space. */
import { EXIT, Failure } from '../../base/failure.ts';
import { howMany } from '../../base/how-many.ts';
import { shortId } from '../../base/ids.ts';
import { formatUtcAndLocal } from '../../base/relative-time.ts';
import type { Configuration } from '../../config/configuration.ts';
import { type AppRetention, prune, pruneHistory, walPruneHistory } from '../../operations/prune.ts';
import { tidyStorages } from '../../operations/tidy.ts';
import { foldApps } from '../../operations/wal-fold.ts';
import { defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { type OpenSession, openSession } from '../open-session.ts';
import { type PruneSummary, show, summaryOf } from '../output/prune-report.ts';

export default defineCommand({
  details:
    'Each storage follows retentionByStorage, or else retention; without rules every point is kept. Whatever the rules say, these stay: ' +
    'pinned points, the newest good point of every set of sources and the newest one that was proven by a real restore, points dated in ' +
    'the future, and for seven more days all points that were proven by a real restore. Points of apps that are not configured and snapshots of other programs are not ' +
    'touched. WAL goes that no kept base backup needs; older WAL that stays is folded into snapshots (see "wal fold"). ' +
    'Then everything that no point needs is freed. A storage on which something is missing or damaged is left alone until ' +
    '"holdfast sync" has healed it (exit 4). What was removed, when and by which rule stays on record: --history.',
  options: {
    dryRun: option.flag('say what would go and why, remove nothing'),
    history: option.flag('list what was removed so far, oldest first'),
  },
  examples: [
    ['holdfast prune --dry-run', 'what would go and why'],
    ['holdfast prune --history --json', 'what was removed, when, by which rule'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  lists: ({ history }) => history,
  left: 'Each storage holds every point that it shows; the next "holdfast prune" goes on.',
  async run(context, { options: { dryRun, history } }) {
    const { flags } = context;
    const config = await context.config();
    const names = flags.app === undefined ? config.appNames : [config.appName(flags.app)];
    const apps = await Promise.all(names.map((name) => appRetention(config, name)));
    await using session = await openSession(context);
    if (history) return printHistory(context, await pruneHistory(session), await walPruneHistory(session));
    const { packSize } = await config.packing();
    const outcome = await prune(session, { apps, dryRun, packSize });
    if (!dryRun) await tidy(context);
    if (!dryRun) await fold(context, session, names);
    return show(context, summaryOf(outcome));
  },
  async remote(context, { options: { dryRun, history } }) {
    if (dryRun || history)
      throw new Failure('usage', '--dry-run and --history do not work through a server: nothing would run there.');
    return show(context, await context.server.run<PruneSummary>('prune', {}));
  },
});

/** Days begin by the time zone of the backup's schedule, or else by that of the machine. */
async function appRetention(config: Configuration, name: string): Promise<AppRetention> {
  const { retention, retentionByStorage } = await config.app(name);
  const { schedules } = await config.plan(name);
  const scheduled = schedules.find(({ run, timezone }) => run === 'backup' && timezone !== undefined)?.timezone;
  return {
    app: name,
    byStorage: retentionByStorage,
    timeZone: scheduled ?? Intl.DateTimeFormat().resolvedOptions().timeZone,
    ...(retention === undefined ? {} : { retention }),
  };
}

/** A storage that cannot be tidied was reported by prune itself. */
async function tidy(context: Context): Promise<void> {
  const { clock, signal, output } = context;
  for (const [name, removed] of await tidyStorages(await context.config(), clock, signal)) {
    if (typeof removed === 'number' && removed > 0)
      await output.line(`${name}: ${removed} leftovers of interrupted writers removed.`);
  }
}

/** Old WAL that stays becomes snapshots. */
async function fold({ output, build, config }: Context, session: OpenSession, apps: readonly string[]): Promise<void> {
  const segments = await foldApps(session, await config(), apps, build.version);
  if (segments > 0) await output.line(`${segments} segments of WAL folded into snapshots.`);
}

async function printHistory(
  { output, flags }: Context,
  points: Awaited<ReturnType<typeof pruneHistory>>,
  wal: Awaited<ReturnType<typeof walPruneHistory>>,
): Promise<ExitStatus> {
  if (flags.json) {
    await output.document([
      ...points.map(({ time, pointTime, ...rest }) => ({
        ...{ removed_at: new Date(time).toISOString(), point_time: pointTime },
        ...rest,
      })),
      ...wal.map(({ time, systemIdentifier, upTo, ...rest }) => ({
        ...{ removed_at: new Date(time).toISOString(), system_identifier: systemIdentifier, wal_up_to: upTo },
        ...rest,
      })),
    ]);
    return EXIT.done;
  }
  if (points.length + wal.length === 0) await output.line('Nothing was removed yet.');
  if (points.length > 0) {
    await output.table(points, [
      { title: 'REMOVED', value: ({ time }) => formatUtcAndLocal(time) },
      { title: 'STORAGE', value: ({ storage }) => storage },
      { title: 'POINT', value: ({ point }) => shortId(point) },
      { title: 'OF', value: ({ pointTime }) => formatUtcAndLocal(Date.parse(pointTime)) },
      { title: 'APP', value: ({ app }) => app },
      { title: 'BY', value: ({ by }) => by },
      { title: 'WHY', value: ({ why }) => why, shrinks: true },
    ]);
  }
  for (const { time, storage, timeline, upTo, pieces, why } of wal) {
    const what = `${howMany(pieces, 'pieces of WAL')}, up to ${upTo} of timeline ${timeline}`;
    await output.line(`${formatUtcAndLocal(time)}  ${storage}: ${what}: ${why}`);
  }
  return EXIT.done;
}
