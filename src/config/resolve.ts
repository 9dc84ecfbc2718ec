/** From values as written to values in hand: references fetched, then everything checked again by the same schema. */
import type { z } from 'zod';
import { Failure } from '../base/failure.ts';
import { dotted, type Path } from './problem.ts';
import { complaints } from './schema/problems.ts';
import { type Reference, reference } from './schema/scalars.ts';
import { describeReference, resolveSecret, type SecretWorld } from './secrets.ts';

/** `T` with every reference replaced by what it stands for. */
export type Resolved<T> = T extends Reference
  ? never
  : T extends readonly (infer I)[]
    ? Resolved<I>[]
    : T extends object
      ? { [K in keyof T]: Resolved<T[K]> }
      : T;

export function isReference(value: unknown): value is Reference {
  return value !== null && typeof value === 'object' && !Array.isArray(value) && reference.safeParse(value).success;
}

/**
 * Fetches every reference in `value` (which stands at `path` of the file and was accepted by `schema`) and checks the result. Throws
 * `secret_unavailable`, or `config_invalid` when what was fetched does not fit.
 */
export async function resolveValues<S extends z.ZodType>(
  schema: S,
  value: z.output<S>,
  path: Path,
  world: SecretWorld,
): Promise<Resolved<z.output<S>>> {
  const origins = new Map<string, Reference>();
  const fetched = await replaceReferences(value, path, world, origins);
  const checked = schema.safeParse(fetched);
  if (checked.success) return checked.data as Resolved<z.output<S>>;
  const { path: wrong, message } = complaints(checked.error.issues, fetched)[0]!;
  const place = dotted([...path, ...wrong]);
  const origin = origins.get(place);
  const from = origin === undefined ? '' : ` (from ${describeReference(origin)})`;
  throw new Failure('config_invalid', `${place}${from} ${message}.`);
}

async function replaceReferences(
  value: unknown,
  path: Path,
  world: SecretWorld,
  origins: Map<string, Reference>,
): Promise<unknown> {
  if (isReference(value)) {
    const place = dotted(path);
    origins.set(place, value);
    return scalar(await resolveSecret(value, place, world), path);
  }
  if (Array.isArray(value))
    return Promise.all(value.map((item, at) => replaceReferences(item, [...path, at], world, origins)));
  if (value === null || typeof value !== 'object') return value;
  const entries = await Promise.all(
    Object.entries(value).map(
      async ([key, item]) => [key, await replaceReferences(item, [...path, key], world, origins)] as const,
    ),
  );
  return Object.fromEntries(entries);
}

/** Keys whose values are not text: what an environment variable or a file holds for them is read as YAML would read it. */
const NOT_TEXT = new Set([
  ...['connections', 'days', 'required', 'compression', 'pathStyle', 'oneFileSystem', 'excludeCaches'],
  ...['catchUp', 'retries', 'priority', 'enabled', 'afterBackup', 'heal'],
  ...['port', 'maxPerMinute', 'allowPrivate', 'percent', 'collapse', 'explosion', 'critical'],
  ...['last', 'hourly', 'daily', 'weekly', 'monthly', 'yearly'],
]);

function scalar(text: string, path: Path): string | number | boolean {
  if (!NOT_TEXT.has(String(path.at(-1)))) return text;
  if (/^\d{1,15}$/.test(text)) return Number(text);
  return text === 'true' ? true : text === 'false' ? false : text;
}
