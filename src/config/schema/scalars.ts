/**
 * The kinds of single values. Each takes its value or a reference to where the value is kept; durations and sizes stay text here, so
 * that what was checked can be shown as it was written.
 */
import * as z from 'zod';
import { DURATION_FORM, parseDuration } from '../../base/durations.ts';
import { formatBytes, parseSize, SIZE_FORM } from '../../base/sizes.ts';

const filled = z.string().min(1);

/** A value kept elsewhere: fetched only when it is needed. */
export const reference = z
  .union([
    z.strictObject({ env: filled }),
    z.strictObject({ file: filled }),
    z.strictObject({ command: z.array(filled).min(1) }),
  ])
  .meta({
    id: 'reference',
    title: 'A value kept elsewhere',
    description:
      'An environment variable, the content of a file (its last line break cut off), or what a program prints.',
  });

export type Reference = z.infer<typeof reference>;

/** Takes the value itself or a reference to it. */
export function value<S extends z.ZodType>(schema: S) {
  return z.union([schema, reference]);
}

const writtenAs = (form: string) => z.string({ error: expected(form) }).min(1, 'must not be empty');

const plainText = writtenAs('text');

export const text = (description: string) => value(plainText).describe(description);

/** Text that no message, log or listing may show. */
export function secret(description: string, problem: (written: string) => string | undefined = () => undefined) {
  return checkedText(description, problem).meta({ writeOnly: true });
}

export const path = (description: string) =>
  value(plainText).describe(`${description} Relative paths are relative to this file.`);

export const toggle = (description: string) =>
  value(z.boolean({ error: expected('true or false') })).describe(description);

export function count(description: string, least: number, most: number) {
  const error = `must be a whole number from ${least} to ${most}`;
  return value(
    z
      .number({ error: expected('a whole number') })
      .int(error)
      .min(least, error)
      .max(most, error),
  ).describe(description);
}

export function choice<const C extends readonly [string, ...string[]]>(description: string, choices: C) {
  return value(z.enum(choices, { error: expected(`one of ${choices.join(', ')}`) })).describe(description);
}

export const duration = (description: string) =>
  checkedText(
    description,
    (written) => (parseDuration(written) === undefined ? `must be ${DURATION_FORM}` : undefined),
    { pattern: '^([0-9]+(ms|[smhdw]))+$', form: DURATION_FORM },
  );

export function size(description: string, least: number, most: number) {
  const problem = (written: string) => {
    const bytes = parseSize(written);
    if (bytes === undefined) return `must be ${SIZE_FORM}`;
    return bytes < least || bytes > most ? `must be from ${formatBytes(least)} to ${formatBytes(most)}` : undefined;
  };
  return checkedText(description, problem, {
    pattern: '^[0-9]+(\\.[0-9]+)? ?(B|KiB|MiB|GiB|TiB|PiB)$',
    form: SIZE_FORM,
  });
}

/** How a kind of text is written: an approximation for editors that use the JSON Schema, and the words for what is not even text. */
interface Written {
  readonly pattern: string;
  readonly form: string;
}

/** Text with a rule of its own. `problem` words what is wrong. */
export function checkedText(
  description: string,
  problem: (written: string) => string | undefined,
  { pattern, form = 'text' }: Partial<Written> = {},
) {
  const schema = writtenAs(form).superRefine((written, context) => {
    const message = problem(written);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });
  return value(pattern === undefined ? schema : schema.meta({ pattern })).describe(description);
}

/** Names of storages, apps and sources: parts of paths and tags. */
export const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/,
    'must be a name: up to 63 letters, digits, "-" and "_", beginning with a letter or digit',
  );

/** A mapping with a fixed set of keys; its complaint about others lists the known ones for whoever words the problem. */
export function mapping<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, {
    error: ({ code }) => (code === 'unrecognized_keys' ? Object.keys(shape).join(',') : undefined),
  });
}

function expected(what: string) {
  return ({ code }: { readonly code?: string | undefined }) => (code === 'too_small' ? undefined : `must be ${what}`);
}
