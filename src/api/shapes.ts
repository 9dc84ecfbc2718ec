/** Values that many endpoints share. Member names are those of `--json` on the command line. */
import * as z from 'zod';

export const app = z.string().min(1).max(100).describe('Name of an app.');
/** For queries: the only app may be left out. */
export const anApp = app.optional().describe('Name of an app; not needed when the configuration has only one.');
export const point = z
  .string()
  .regex(/^(latest|[0-9a-f]{1,64})$/, 'must be "latest" or the first hexadecimal digits of a point')
  .describe('A restore point: its id, the first digits of it, or "latest".');
export const recordId = z
  .string()
  .regex(/^[0-9a-z]{26}$/, 'must be an id of 26 characters')
  .describe('Id of a record; ids sort by the time of their making.');
export const storageName = z.string().min(1).max(100).describe('Name of a storage.');
export const sourceName = z.string().min(1).max(100).describe('Name of a source of the app.');
export const time = z.string().describe('A time: RFC 3339, UTC.').meta({ format: 'date-time' });
/** As a caller writes it. */
export const givenTime = z
  .string()
  .max(60)
  .refine(
    (text) => /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d/.test(text) && !Number.isNaN(Date.parse(text)),
    'must be a time in RFC 3339',
  )
  .refine((text) => /([zZ]|[+-]\d\d:?\d\d)$/.test(text), 'must have a zone, such as Z or +01:00')
  .describe('A time: RFC 3339 with a zone.')
  .meta({ format: 'date-time' });
export const text = (description: string, longest = 1_000) => z.string().max(longest).describe(description);

export const cursor = z.string().min(1).max(300).optional().describe('`next` of the page before.');
export const limit = z.int().min(1).max(500).default(50).describe('Entries on a page.');

/** A page of a list: `next` is the cursor of the following page, null on the last one. */
export function page<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe('Cursor of the next page.') });
}

/** Any JSON object: what its members are is told elsewhere. */
export const object = z.record(z.string(), z.unknown());
export const labels = z.record(z.string(), z.string()).describe('Labels that a worker must have.');

/** What may stand in a path of a point: it begins with the name of a source. */
export const contentPath = z.string().max(8_192).describe('A path in the point; it begins with the name of a source.');
export const contentPathBytes = z
  .string()
  .max(12_000)
  .regex(/^[A-Za-z0-9_-]*={0,2}$/, 'must be base64url')
  .optional()
  .describe('The same as base64url of its bytes, for names that are no UTF-8; instead of `path`.');
