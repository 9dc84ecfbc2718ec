/** `holdfast rows`: rows as they were, into a file or back into the running database. */

import { resolve } from 'node:path';
import { exportRows, getRunResult } from '../../api/exchange.ts';
import { EXIT, Failure } from '../../base/failure.ts';
import { given } from '../../base/given.ts';
import { howMany } from '../../base/how-many.ts';
import { refuseExisting, writeNewFile } from '../../operations/new-file.ts';
import {
  exportTable,
  type MergeInput,
  type MergeOutcome,
  mergeTables,
  onlyDatabase,
  type RowsInput,
  runningDatabase,
} from '../../operations/rows.ts';
import { argument, defineCommand, option } from '../command.ts';
import type { Context } from '../context.ts';
import { openSession } from '../open-session.ts';
import { printMerged, printPlan } from '../output/rows-report.ts';
import type { RemoteContext } from '../remote.ts';
import { namedState } from '../state.ts';

export default defineCommand({
  details:
    'Starts a throw-away PostgreSQL with the database as it was, and takes rows out of it: into a file (--to), or back into the running ' +
    'database (--merge-into). A merge inserts what is missing now, with the rows that it refers to; --related brings what referred to it, ' +
    'too; --update makes rows that differ as they were. What differs is shown first. Everything happens in one transaction, or nothing; ' +
    'before it is committed, a script that undoes exactly this merge is written.',
  arguments: { point: argument.optional('POINT', 'id, its first digits, or "latest"; none with --at') },
  options: {
    at: option.text('TIME|POINT', 'a time, "latest" for the newest archived commit, or the first digits of a point'),
    table: option.texts('T', 'a table, with its schema where that is not public (may be given several times)'),
    schema: option.texts('S', 'all tables of a schema; only with --merge-into'),
    where: option.text('SQL', 'only rows that fit: what would stand after WHERE'),
    to: option.text('FILE', 'into this file: .csv or .json; "-" prints CSV'),
    mergeInto: option.text(
      'DB',
      'into this running database: a source, env:NAME of a URL, or a URL without a password',
    ),
    update: option.flag('rows that differ become as they were'),
    related: option.flag('rows that referred to these rows come back, too'),
    noTriggers: option.flag("the application's triggers stay silent (needs the right to say so)"),
    dryRun: option.flag('show what a merge would do, do nothing'),
    confirm: option.text('NAME', 'the name of the database that is written to: yes, merge'),
    reversal: option.text('FILE.sql', 'the script that undoes the merge; holdfast-undo-<time>.sql when left out'),
    force: option.flag('replace the file of --to when it exists'),
    source: option.text('S', 'the database (not needed when there is only one)'),
    database: option.text('NAME', 'another database of the same cluster'),
    storage: option.text('NAME', 'read the point from this storage only'),
  },
  examples: [
    ['holdfast rows --at "10m ago" --table patients --to patients.csv', 'a table as it was'],
    [
      'holdfast rows --at "10m ago" --table patients --where "id = 42" --related --merge-into database --dry-run',
      'what would come back',
    ],
    [
      'holdfast rows --at 1f0c --table patients --where "id = 42" --related --merge-into database --confirm clinic',
      'a deleted patient, with everything that belonged to it',
    ],
  ],
  exits: [EXIT.unreachableMoment, EXIT.damaged, EXIT.noRepository, EXIT.locked, EXIT.wrongPassword],
  left: 'The throw-away copy is gone. A merge is one transaction: it happened whole or not at all.',
  async run(context, { arguments: { point }, options }) {
    const state = namedState(point, options.at, context.clock.now());
    refuseContradictions(options);
    const config = await context.config();
    const app = config.appName(context.flags.app);
    const source = options.source ?? onlyDatabase(config, app);
    const { programs, account } = await config.postgres();
    const input: RowsInput = {
      ...{ app, source, tables: options.table, schemas: options.schema, where: options.where },
      state,
      programs: { directories: programs, path: context.env.PATH },
      ...(account === undefined ? {} : { account }),
      ...(options.database === undefined ? {} : { database: options.database }),
      ...(options.storage === undefined ? {} : { storage: options.storage }),
    };
    if (options.to !== undefined) return toFile(context, input, options.to, options.force);
    const into = await runningDatabase(config, app, {
      written: options.mergeInto ?? '',
      env: context.env,
      ...(options.database === undefined ? {} : { database: options.database }),
    });
    const { update, related, noTriggers, dryRun, confirm, reversal } = options;
    const script = resolve(context.cwd, reversal ?? scriptName(context.clock.now()));
    return merge(context, {
      ...{ ...input, into, update, related, triggers: !noTriggers, onPlan: (plan) => printPlan(context.output, plan) },
      ...(dryRun ? {} : { apply: { confirm, reversal: script } }),
    });
  },
  /** A file comes here. What a merge writes, the script that undoes it included, is on the machine whose worker merges. */
  async remote(context, { arguments: { point }, options }) {
    const at = writtenState(point, options.at);
    refuseContradictions(options);
    if (options.to !== undefined) return fetchFile(context, { ...options, at }, options.to);
    const { table, schema, where, mergeInto, update, related, noTriggers, dryRun, confirm, reversal } = options;
    const { source, database, storage } = options;
    const { done, ...plan } = await context.server.run<MergeOutcome['plan'] & { done: MergeOutcome['done'] | null }>(
      'rows',
      {
        ...{ at, table, schema, where, mergeInto, update, related, noTriggers, dryRun, confirm, reversal },
        ...{ source, database, storage },
      },
    );
    const { output, flags } = context;
    if (flags.json) await output.summary({ ...plan, done });
    else {
      await printPlan(output, plan);
      await printMerged(output, { plan, ...given('done', done ?? undefined) }, dryRun);
    }
    return EXIT.done;
  },
});

/** The state as the API takes it, for which "latest" is the newest archived commit. Throws `usage`. */
function writtenState(point: string | undefined, at: string | undefined): string {
  namedState(point, at, 0);
  if (point === 'latest')
    throw new Failure('usage', 'Through a server the newest point is named by its first digits.', {
      hint: 'List the points with "holdfast points".',
    });
  return point ?? at!;
}

/** Made there, fetched from there. */
async function fetchFile(context: RemoteContext, options: Choices & Places & { readonly at: string }, to: string) {
  const { output, flags, cwd, server } = context;
  const file = to === '-' ? undefined : resolve(cwd, to);
  if (file === undefined && flags.json) throw mixed();
  if (file !== undefined && !options.force) await refuseExisting(file);
  const { at, table, where, source, database, storage } = options;
  const body = {
    ...{ ...server.app, at, table: table[0]!, format: file === undefined ? ('csv' as const) : formatOf(file) },
    ...{
      ...given('where', where),
      ...given('source', source),
      ...given('database', database),
      ...given('storage', storage),
    },
  };
  const { id, outcome } = await server.follow(await server.client.call(exportRows, { body }));
  const parts = server.client.bytes(getRunResult, { params: { run: id } });
  if (file === undefined) for await (const part of parts) await output.raw(part);
  else await writeNewFile(file, parts, { force: options.force });
  if (flags.json) await output.summary({ ...outcome, file });
  else if (file !== undefined) await output.line(`${String(outcome.rows)} rows of ${String(outcome.table)} in ${file}`);
  return EXIT.done;
}

function mixed(): Failure {
  return new Failure('usage', '--to - prints the rows themselves; --json does not go with it.');
}

interface Places {
  readonly where: string | undefined;
  readonly source: string | undefined;
  readonly database: string | undefined;
  readonly storage: string | undefined;
}

async function toFile(context: Context, input: RowsInput, to: string, force: boolean) {
  const { output, flags, cwd } = context;
  const file = to === '-' ? undefined : resolve(cwd, to);
  const format = file === undefined ? 'csv' : formatOf(file);
  if (file === undefined && flags.json) throw mixed();
  await output.note(`As of ${input.state.shown}.`); // standard output may be the rows
  await using session = await openSession(context);
  const outcome = await exportTable(session, {
    ...{ ...input, format, force, onBytes: (bytes) => output.raw(bytes) },
    ...(file === undefined ? {} : { file }),
  });
  if (flags.json) await output.summary({ ...outcome });
  else if (file !== undefined) await output.line(`${howMany(outcome.rows, 'rows')} of ${outcome.table} in ${file}`);
  return EXIT.done;
}

function formatOf(file: string): 'csv' | 'json' {
  if (/\.csv$/i.test(file)) return 'csv';
  if (/\.json$/i.test(file)) return 'json';
  throw new Failure('usage', `In which form? "${file}" ends neither in .csv nor in .json.`);
}

async function merge(context: Context, input: MergeInput) {
  await using session = await openSession(context);
  const outcome = await mergeTables(session, input);
  if (context.flags.json) await context.output.summary({ ...outcome.plan, done: outcome.done ?? null });
  else await printMerged(context.output, outcome, input.apply === undefined);
  return EXIT.done;
}

function scriptName(now: number): string {
  return `holdfast-undo-${new Date(now).toISOString().replace(/[-:]/g, '').replace('.', '')}.sql`;
}

interface Choices {
  readonly table: readonly string[];
  readonly schema: readonly string[];
  readonly to: string | undefined;
  readonly mergeInto: string | undefined;
  readonly update: boolean;
  readonly related: boolean;
  readonly noTriggers: boolean;
  readonly dryRun: boolean;
  readonly confirm: string | undefined;
  readonly reversal: string | undefined;
  readonly force: boolean;
}

function refuseContradictions(choices: Choices): void {
  const { table, schema, to, mergeInto } = choices;
  if (table.length + schema.length === 0) throw new Failure('usage', 'Which rows? Name a table with --table.');
  if ((to === undefined) === (mergeInto === undefined)) {
    const both = to !== undefined;
    throw new Failure(
      'usage',
      both ? '--to and --merge-into exclude each other.' : 'Where to? Name --to FILE.csv or --merge-into.',
    );
  }
  if (to !== undefined && table.length > 1) throw new Failure('usage', 'A file takes the rows of one table: name one.');
  const { update, related, noTriggers, dryRun, confirm, reversal, force } = choices;
  const ofMerge = update || related || noTriggers || dryRun || confirm !== undefined || reversal !== undefined;
  if (to !== undefined && (ofMerge || schema.length > 0))
    throw new Failure(
      'usage',
      '--schema, --update, --related, --no-triggers, --dry-run, --confirm and --reversal belong to --merge-into.',
    );
  if (mergeInto !== undefined && force) throw new Failure('usage', '--force belongs to --to.');
}
