/** What can be asked of each kind of run: what the options of its command take. Never a secret: params are shown to whoever sees the run. */
import * as z from 'zod';
import { parseDuration } from '../../base/durations.ts';
import { SCHEDULED_PARAMS } from '../../config/run-params.ts';

const MAX_TEXT = 4_000;
const MAX_ITEMS = 1_000;
/** ms. */
const LONGEST_SANDBOX = 7 * 86_400_000;

const text = z.string().min(1).max(MAX_TEXT);
const texts = z.array(text).max(MAX_ITEMS);
const flag = z.boolean();
const point = z.string().regex(/^([0-9a-f]{4,64}|latest)$/, 'must be a point: the first digits of its id, or "latest"');
/** No URL: it could hold a password, and lead anywhere. No variable of the worker's either: that of another app is there, too. */
const database = z.string().regex(/^[A-Za-z0-9_-]{1,63}$/, 'must be a source of the app');

/** Absolute: it stands in the command line without a name, and must not be taken for an option. */
const file = z.string().regex(/^\//, 'must be an absolute path').max(MAX_TEXT);

const moment = {
  point: point.optional(),
  at: text.optional(),
  lsn: text.optional(),
  xid: z.number().int().min(3).optional(),
  name: text.optional(),
  immediate: flag.optional(),
  timeline: z.number().int().min(1).optional(),
};

export const PARAMS = {
  ...SCHEDULED_PARAMS,
  prove: SCHEDULED_PARAMS.prove.extend({ point: point.optional() }),
  drill: z.strictObject({ point: point.optional(), at: text.optional() }),
  verify: z.strictObject({
    point: point.optional(),
    storage: text.optional(),
    /** Which slices of all objects are read, of how many. */
    slice: z.array(z.number().int().min(0)).max(MAX_ITEMS).optional(),
    of: z.number().int().min(1).max(100_000).optional(),
  }),
  restore: z.strictObject({
    ...moment,
    to: text.optional(),
    inPlace: flag.optional(),
    confirm: text.optional(),
    source: texts.optional(),
    path: texts.optional(),
    storage: text.optional(),
    dataDirectory: text.optional(),
    owner: text.optional(),
    noOwner: flag.optional(),
    noReplay: flag.optional(),
    reason: text.optional(),
    dryRun: flag.optional(),
  }),
  rows: z.strictObject({
    at: text,
    table: texts.optional(),
    schema: texts.optional(),
    where: text.optional(),
    to: text.optional(),
    force: flag.optional(),
    mergeInto: database.optional(),
    update: flag.optional(),
    related: flag.optional(),
    noTriggers: flag.optional(),
    dryRun: flag.optional(),
    confirm: text.optional(),
    reversal: text.optional(),
    source: text.optional(),
    database: text.optional(),
    storage: text.optional(),
  }),
  kit: z.strictObject({ format: z.enum(['text', 'html']).optional(), output: text }),
  forget: z.strictObject({ point, storage: text.optional() }),
  pin: z.strictObject({ point }),
  unpin: z.strictObject({ point }),
  export: z.strictObject({ file, point: point.optional() }),
  import: z.strictObject({ file, target: file, owner: text.optional(), noOwner: flag.optional() }),
  sandbox: z.strictObject({
    at: text,
    for: text.refine((written) => {
      const ms = parseDuration(written);
      return ms !== undefined && ms > 0 && ms <= LONGEST_SANDBOX;
    }, 'must be a duration of at most 7d, such as 1h'),
    withFiles: flag.optional(),
    source: text.optional(),
    storage: text.optional(),
  }),
  runbook: z.strictObject({
    point: point.optional(),
    at: text.optional(),
    to: text.optional(),
    from: z.number().int().min(1).optional(),
  }),
} as const satisfies Readonly<Record<string, z.ZodObject>>;

export type KindName = keyof typeof PARAMS;
