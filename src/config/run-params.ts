/** What can be asked of a run that a schedule starts, beyond its app: by kind of run. The same words as on the command line; never a secret. */
import * as z from 'zod';
import { parseDuration } from '../base/durations.ts';
import { mapping } from './schema/scalars.ts';

const MAX_TEXT = 1_000;

const text = z
  .string('must be text')
  .min(1, 'must not be empty')
  .max(MAX_TEXT, `must have at most ${MAX_TEXT} characters`);
const flag = z.boolean('must be true or false');
const texts = z.array(text, 'must be a list').max(MAX_TEXT);

const readData = z
  .string('must be a percentage such as "5%"')
  .regex(/^(100|\d{1,2}(\.\d{1,3})?)%$/, 'must be a percentage such as "5%"; "100%" reads everything');

const duration = z.string('must be a duration, such as 30m').refine((written) => parseDuration(written) !== undefined, {
  error: 'must be a duration, such as 30m',
});

export const SCHEDULED_PARAMS = {
  backup: mapping({ source: texts.optional(), label: text.optional(), reason: text.optional(), full: flag.optional() }),
  prove: mapping({
    at: text.optional(),
    sample: flag.optional(),
    storage: text.optional(),
    limit: duration.optional(),
  }),
  check: mapping({ storage: text.optional(), readData: readData.optional() }),
  sync: mapping({ storage: text.optional(), readData: flag.optional(), moved: flag.optional() }),
  prune: mapping({}),
  'wal-fold': mapping({ now: flag.optional() }),
  drill: mapping({}),
} as const;

/** What a schedule can run. */
export type ScheduledKind = keyof typeof SCHEDULED_PARAMS;

export const SCHEDULED_KINDS = Object.keys(SCHEDULED_PARAMS) as [ScheduledKind, ...ScheduledKind[]];
