/** Apps: what is protected together, and how. */
import * as z from 'zod';
import { runbook } from './runbook.ts';
import { count, duration, mapping, name, path, text } from './scalars.ts';
import { schedule } from './schedule.ts';
import { labels } from './service.ts';
import { source } from './source.ts';

const RETENTION_RULES = ['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly', 'within'] as const;

const retention = mapping({
  last: count('Keep the newest points, this many.', 1, 1_000_000).optional(),
  hourly: count('Keep the last point of each of this many hours that have one.', 1, 1_000_000).optional(),
  daily: count('The same for days.', 1, 1_000_000).optional(),
  weekly: count('The same for weeks, which begin on Monday.', 1, 1_000_000).optional(),
  monthly: count('The same for months.', 1, 1_000_000).optional(),
  yearly: count('The same for years.', 1, 1_000_000).optional(),
  within: duration('Keep every point that is not older than this.').optional(),
}).refine((rules) => RETENTION_RULES.some((rule) => rules[rule] !== undefined), {
  error: 'names no rule; leave it out to keep every point',
  abort: true,
});

const argv = (description: string) =>
  z
    .array(text('The program, then each argument.'), { error: 'must be a list: the program, then each argument' })
    .min(1, 'must name a program')
    .describe(`${description} Program and arguments; no shell.`)
    .optional();

const database = text('The postgres source the query runs in; needed when the app has several.').optional();

export const app = mapping({
  objectives: mapping({
    rpo: duration('At most this much work may be lost.').optional(),
    rto: duration('The app must be back within this time.').optional(),
  })
    .describe('What is promised.')
    .optional(),
  sources: z.record(name, source, { error: 'must map names to sources' }).describe('What is protected.'),
  references: z
    .array(
      mapping({
        query: text('A query whose first column names files, relative to the path of the source.'),
        source: text('The files source that must hold them.'),
        database,
      }),
      { error: 'must be a list' },
    )
    .describe('Rows that name files; checked against the files of the same point.')
    .default([]),
  migrations: mapping({ query: text('A query that lists the applied migrations.'), database })
    .describe('Which migrations were applied, for the manifest.')
    .optional(),
  tenants: mapping({
    table: text('The table with one row per tenant.'),
    key: text('Its key column.'),
    name: text('The column with the name people know.').optional(),
    database,
  })
    .describe('Where the tenants of a shared database are listed.')
    .optional(),
  proof: mapping({
    assertions: z
      .array(
        mapping({
          name: text('What it shows, in a few words.'),
          query: text('A query that returns one row, whose first column is true when all is well.'),
          database,
        }),
        { error: 'must be a list' },
      )
      .describe('Questions to the restored database.')
      .default([]),
    commands: z
      .array(
        z
          .array(text('The program, then each argument.'))
          .min(1, 'must name a program')
          .describe('A program and its arguments.'),
        {
          error: 'must be a list of programs with arguments',
        },
      )
      .describe(
        'Run against the restored copy, without a shell: HOLDFAST_DATABASE_URL is its database, HOLDFAST_FILES the directory of its files. Each must end with 0.',
      )
      .default([]),
  })
    .describe("The app's own checks of a restored copy; a point that passes them counts as accepted.")
    .default({ assertions: [], commands: [] }),
  hooks: mapping({
    beforeBackup: argv('Run before a backup.'),
    afterBackup: argv('Run after a backup, whatever became of it.'),
    beforeRestore: argv('Run before a restore in place: stop the app.'),
    afterRestore: argv('Run after a restore in place: start the app.'),
  })
    .describe('Programs run around the work.')
    .default({}),
  labels: labels.default({}),
  schedules: z.array(schedule, { error: 'must be a list' }).describe('When work starts by itself.').default([]),
  retention: retention.describe('Which points are kept; absent: all.').optional(),
  retentionByStorage: z
    .record(name, retention, { error: 'must map names of storages to rules' })
    .describe('Rules for single storages, instead of those of retention.')
    .default({}),
  runbook: runbook.optional(),
  application: mapping({
    version: text('The version of the app, for the manifest.').optional(),
    git: path('A checkout whose commit and branch go into the manifest.').optional(),
  })
    .describe('Facts about the app for the manifest.')
    .default({}),
}).describe('One application.');
