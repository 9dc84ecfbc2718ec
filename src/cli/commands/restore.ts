/** `holdfast restore`: gets a point, part of one, or any moment back. */
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { thisProcess } from '../../operations/holder.ts';
import { chooseOwnership, type RestoreOutcome, restore } from '../../operations/restore.ts';
import { restoreInPlace, type SourcePlace } from '../../operations/restore-in-place.ts';
import { type MomentInput, restoreMoment } from '../../operations/restore-moment.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { MOMENT_OPTIONS, type NamedMoment, namedMoment } from '../moment-target.ts';
import { openSession } from '../open-session.ts';
import { printInPlace, printMoment, printRestore } from '../output/restore-report.ts';

export default defineCommand({
  details:
    'With --to, restores into a new directory: DIR/<source>/…; a database is a data directory that "postgres -D DIR/<source>" starts. The plan ' +
    'is made first; everything is verified while it is read, and what one storage cannot give comes from another. Interrupted, the same ' +
    'command continues and fetches nothing twice. As root, owners come back as they were; anybody else owns what they restore.\n\n' +
    '"latest" is the whole app: each source comes from the newest point that has it. A point that is named by its id gives what it has.\n\n' +
    'With --in-place, restores over what the app uses: hooks.beforeRestore stops the app, the new state is made beside the old one, the two ' +
    'are swapped, hooks.afterRestore starts the app. The old state is kept beside the new one, and the way back is printed.\n\n' +
    'With --at, --lsn, --xid or --name, the database comes back as it was at that moment: the newest point that ends before it, and the ' +
    'archived log replayed by a server of the same major version, which is stopped again. It is proved first that every byte of the log is ' +
    'there; a moment that cannot be reached ends with 5 and the nearest that can. Files come from the newest point not after the moment.',
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest"; none with a moment') },
  options: {
    to: option.text('DIR', 'a new or empty directory'),
    ...MOMENT_OPTIONS,
    timeline: option.integer('N', 'along the path that ends on this timeline; the newest one when left out', 1),
    noReplay: option.flag('leave replaying the log to the server that will be started on the directory'),
    source: option.texts('S', 'only this source (may be given several times)'),
    path: option.texts(
      'GLOB',
      'only these paths, relative to the source or beginning with its name (may be given several times)',
    ),
    inPlace: option.flag('replace what the app uses'),
    confirm: option.text('NAME', 'the name of the app, or of the one source: yes, replace it'),
    dataDirectory: option.text('DIR', 'of the database, for --in-place, when the point does not know it'),
    storage: option.text('NAME', 'read from this storage only'),
    owner: option.text('USER[:GROUP]', 'give everything to this account'),
    noOwner: option.flag('leave everything to the account that runs the restore'),
    reason: option.text('R', 'why; kept in the record of the restore'),
    dryRun: option.flag('say what would be restored from where, do nothing'),
  },
  examples: [
    ['holdfast restore latest --to /srv/restored', 'everything of the newest point'],
    ['holdfast restore 1f0c --to /tmp/x --source media --path "photos/2026/**"', 'some files'],
    ['holdfast restore --at "2026-03-01 09:29:59+01:00" --to /srv/restored', 'everything as it was at that second'],
    ['holdfast restore latest --source media --in-place --confirm media', 'over the directory the app uses'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.unreachableMoment, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'What was restored so far stays; the same command goes on there and fetches nothing twice.',
  async run(context, { arguments: { point }, options }) {
    const { to, inPlace } = options;
    const named = namedMoment(options, context.clock.now());
    refuseContradictions(options);
    refuseUnclearState(point, named, options);
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const request = {
      point: point ?? 'latest',
      sources: options.source,
      ...given('storage', options.storage),
      ...given('reason', options.reason),
      ownership: await chooseOwnership(options.owner, options.noOwner),
      dryRun: options.dryRun,
      by: thisProcess(),
    };
    const moment = named && (await momentInput(context, named, options));
    await using session = await openSession(context, { thread: 'unseal-worker' });
    if (named !== undefined) session.progress({ type: 'note', message: `The moment: ${named.shown}` });
    const target = resolve(context.cwd, to ?? '');
    if (!inPlace && moment !== undefined) {
      const outcome = await restoreMoment(session, { ...request, app, target, moment });
      return report(context, outcome, () => printMoment(context.output, outcome));
    }
    if (!inPlace) {
      const outcome = await restore(session, { ...request, app, target, paths: options.path });
      return report(context, outcome, () => printRestore(context.output, outcome));
    }
    const outcome = await restoreInPlace(session, {
      ...request,
      app: await config.app(app),
      configured: await sourcePlaces(context, app),
      ...(moment === undefined ? {} : { moment }),
      ...given('confirm', options.confirm),
      ...given('dataDirectory', options.dataDirectory && resolve(context.cwd, options.dataDirectory)),
    });
    return report(context, outcome, () => printInPlace(context.output, outcome));
  },
});

interface MomentChoice {
  readonly path: readonly string[];
  readonly inPlace: boolean;
  readonly timeline: number | undefined;
  readonly noReplay: boolean;
}

async function momentInput(
  context: Context,
  { target, requested }: NamedMoment,
  { timeline, noReplay }: MomentChoice,
): Promise<MomentInput> {
  const config = await context.config();
  const { programs, account } = await config.postgres();
  return {
    target,
    requested,
    programs: { directories: programs, path: context.env.PATH },
    replay: !noReplay,
    configFile: config.file,
    ...(timeline === undefined ? {} : { timeline }),
    ...given('account', account),
  };
}

/** Either a point or a moment, and nothing that belongs to the other. */
function refuseUnclearState(point: string | undefined, moment: NamedMoment | undefined, choices: MomentChoice): void {
  const { path, timeline, noReplay, inPlace } = choices;
  if (moment === undefined) {
    if (point === undefined) {
      throw new Failure('usage', 'What is to be restored? Name a POINT, or a moment with --at.', {
        hint: 'List the points with "holdfast points", the moments with "holdfast wal status".',
      });
    }
    if (timeline !== undefined || noReplay)
      throw new Failure('usage', '--timeline and --no-replay belong to a moment, such as --at TIME.');
    return;
  }
  if (point !== undefined) throw new Failure('usage', 'A POINT and a moment exclude each other.');
  if (path.length > 0) throw new Failure('usage', '--path belongs to a POINT; a moment is one of a whole database.');
  if (inPlace && noReplay) throw new Failure('usage', '--in-place needs the log replayed; --no-replay goes with --to.');
}

interface Choices {
  readonly to: string | undefined;
  readonly inPlace: boolean;
  readonly path: readonly string[];
  readonly confirm: string | undefined;
  readonly dataDirectory: string | undefined;
}

function refuseContradictions({ to, inPlace, path, confirm, dataDirectory }: Choices): void {
  if (inPlace === (to !== undefined)) {
    const what = inPlace
      ? '--to and --in-place exclude each other.'
      : 'Where to? A restore needs --to DIR or --in-place.';
    throw new Failure('usage', what, {
      hint: 'Name a new directory, and look at what is in it before anything is replaced.',
    });
  }
  if (inPlace && path.length > 0) {
    throw new Failure('usage', '--in-place replaces whole sources; --path does not go with it.', {
      hint: 'Restore the paths with --to and copy them where they belong.',
    });
  }
  if (!inPlace && (confirm !== undefined || dataDirectory !== undefined)) {
    throw new Failure('usage', '--confirm and --data-directory belong to --in-place.');
  }
}

async function sourcePlaces(context: Context, app: string): Promise<SourcePlace[]> {
  const config = await context.config();
  const places = config.sourceTypes(app).map(async ({ name, type }): Promise<SourcePlace> => {
    if (type === 'postgres') return { name, type };
    const source = await config.source(app, name);
    return source.type === 'postgres' ? { name, type: 'postgres' } : source;
  });
  return Promise.all(places);
}

async function report({ flags, output }: Context, outcome: RestoreOutcome, print: () => Promise<void>) {
  if (flags.json) await output.summary({ ...outcome });
  else await print();
  if (outcome.missing > 0) return EXIT.damaged;
  return outcome.problem_count > 0 ? EXIT.partial : EXIT.done;
}
