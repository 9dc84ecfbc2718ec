/** The WAL archive of a PostgreSQL source: one word, or the word with its settings. */
import * as z from 'zod';
import type { Resolved } from '../resolve.ts';
import { choice, count, duration, mapping, path, size, text, toggle } from './scalars.ts';

const MIB = 1024 * 1024;
const TIB = 1024 * 1024 * MIB;

const MODE =
  'stream: "holdfast wal stream" receives the WAL all the time; push: the server hands it over (archive_command); off: each point holds the WAL it needs itself, and only points can be restored.';

const mode = choice(MODE, ['stream', 'push', 'off']);

const settings = mapping({
  mode: mode.default('stream'),
  slot: text('The replication slot. Absent: holdfast_<app>_<source>.').optional(),
  spool: path('Where received WAL is kept until the storages have it: a directory of its own.').optional(),
  spoolLimit: size(
    'At most this much waits there; beyond it receiving pauses, and the server keeps its WAL.',
    64 * MIB,
    64 * TIB,
  ).default('8 GiB'),
  flushEvery: duration('A commit is in the storages at most this long after it was made.').default('5s'),
  acknowledge: z
    .union([choice('spool', ['spool']), count('storages', 1, 31)], { error: 'must be spool, or a number of storages' })
    .describe(
      'When the server may take WAL for safe: in the spool of this machine, or in this many storages (a synchronous standby then waits for them).',
    )
    .default('spool'),
  slotLimit: size(
    'When the slot makes the server keep more than this, it is given up, loudly: the disk of the server comes first.',
    64 * MIB,
    64 * TIB,
  ).default('32 GiB'),
  foldAfter: duration('WAL older than this is put into snapshots that restic reads too.').default('1d'),
  baseAfterGap: toggle(
    'After a gap in the WAL the stream starts "holdfast backup": without a new point no moment after the gap can be restored.',
  ).default(true),
});

export const wal = z
  .union([mode, settings], { error: 'must be stream, push or off, or a mapping with mode' })
  .describe(MODE);

/** The settings of a cluster whose mode alone is written. */
export const walDefaults = settings.parse({}) as Resolved<z.infer<typeof settings>>;
