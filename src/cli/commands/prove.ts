/** `holdfast prove`: a real test restore, with a report. */
import { resolve } from 'node:path';
import { EXIT, Failure } from '../../base/failure.ts';
import { thisProcess } from '../../operations/holder.ts';
import { proofPage } from '../../operations/proofs.ts';
import { isEnvironmentOnly, type ProofReport, type ProveInput, prove } from '../../operations/prove.ts';
import { argument, defineCommand, type ExitStatus, option } from '../command.ts';
import type { Context } from '../context.ts';
import { momentTarget } from '../moment.ts';
import { openSession } from '../open-session.ts';
import { printProof } from '../output/proof-report.ts';
import { writeFileWhole } from '../output/write-file.ts';

const DEFAULT_LIMIT_MS = 30 * 60_000;

export default defineCommand({
  details:
    'Restores the point from one storage alone, each storage in its turn, starts PostgreSQL on the copy, restores the files, and looks: rows ' +
    'against the manifest, foreign keys, sequences, extensions, indexes, the inside of every table, page checksums, rows that name files, and ' +
    "the app's own proof.assertions and proof.commands. The time until everything was back is the measured time to restore. Then everything is " +
    'dropped; so it is after a failure, and after the death of this program.\n\n' +
    'A point that passes is "restored", and "accepted" when the app has checks of its own and they pass. --sample restores 100 files drawn by ' +
    'chance, and gives "restored" at most. --at proves a moment of the WAL archive, and leaves the level of its base as it is. The report is ' +
    'kept in the repository, also of a proof that fails: "holdfast proofs". "latest" is the newest point that holds every database of the app.',
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest" (default: latest)') },
  options: {
    at: option.text('T', 'prove this moment instead: a time, or "latest" for the newest archived commit'),
    sample: option.flag('restore a sample of the files, all of the database'),
    storage: option.text('NAME', 'read from this storage, whoever has its turn'),
    directory: option.text('DIR', 'make the copy here (default: the directory for temporary files)'),
    limit: option.duration('D', 'the longest time for one query and for one command (default: 30m)'),
    report: option.text('FILE', 'write the report as a page of HTML too'),
  },
  examples: [
    ['holdfast prove', 'the newest point, from the storage whose turn it is'],
    ['holdfast prove latest --sample --report proof.html', 'all of the database, some of the files, and a page of it'],
    ['holdfast prove --at "1h ago"', 'the state of an hour ago'],
  ],
  exits: [EXIT.partial, EXIT.damaged, EXIT.unreachableMoment, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'The copy is gone; nothing was recorded about the point.',
  async run(context, { arguments: { point }, options }) {
    const { clock, cwd, env, flags } = context;
    const { at, storage, directory, limit = DEFAULT_LIMIT_MS, report: file } = options;
    const what = whatOf(point, at, clock.now());
    const config = await context.config();
    const app = await config.app(config.appName(flags.app));
    const { programs, account } = await config.postgres();
    const databases = config.sourceTypes(app.name).filter(({ type }) => type === 'postgres');
    await using session = await openSession(context, { thread: 'unseal-worker' });
    const report = await prove(session, {
      ...{ app, what, sample: options.sample, limitMs: limit, environment: env, by: thisProcess() },
      databases: databases.map(({ name }) => name),
      programs: { directories: programs, path: env.PATH },
      ...(account === undefined ? {} : { account }),
      ...(storage === undefined ? {} : { storage }),
      ...(directory === undefined ? {} : { directory: resolve(cwd, directory) }),
    });
    return show(context, report, file);
  },
  async remote(context, { arguments: { point }, options: { at, sample, storage, directory, limit, report } }) {
    if (directory !== undefined) throw new Failure('usage', '--directory does not work through a server.');
    const what = whatOf(point, at, context.clock.now());
    const asked = what.kind === 'point' ? { point: what.point } : { at: at === 'latest' ? at : what.asked };
    const params = { ...asked, sample, storage, limit: limit === undefined ? undefined : `${limit / 1000}s` };
    return show(context, await context.server.run<ProofReport>('prove', params), report);
  },
});

async function show({ flags, output, cwd }: Context, report: ProofReport, file: string | undefined) {
  if (file !== undefined) await writeFileWhole(resolve(cwd, file), proofPage(report));
  if (flags.json) await output.summary({ ...report });
  else await printProof(output, report);
  return exitOf(report);
}

function whatOf(point: string | undefined, at: string | undefined, now: number): ProveInput['what'] {
  if (at === undefined) return { kind: 'point', point: point ?? 'latest' };
  if (point === undefined) return { kind: 'moment', ...momentTarget(at, now) };
  throw new Failure('usage', 'A point and --at exclude each other.', {
    hint: 'Without a point, --at finds the base by itself.',
  });
}

function exitOf({ outcome, checks }: ProofReport): ExitStatus {
  if (outcome === 'passed') return EXIT.done;
  if (outcome === 'incomplete') return EXIT.partial;
  return isEnvironmentOnly(checks) ? EXIT.failed : EXIT.damaged;
}
