/** Which place each source of a point has on this machine, and the operator's word that it may be replaced. */
import { Failure } from '../../base/failure.ts';
import type { Place } from '../../recovery/in-place.ts';
import type { Manifest } from '../../recovery/manifest.ts';

/** What the configuration says of a source, without its secrets. */
export type SourcePlace =
  | { readonly name: string; readonly type: 'postgres' }
  | { readonly name: string; readonly type: 'files'; readonly path: string }
  | { readonly name: string; readonly type: 'config'; readonly paths: readonly string[]; readonly base: string };

export interface ReplacedPlace {
  readonly source: string;
  readonly path: string;
  /** Where the old state is kept; null where there was none, or before that is known. */
  readonly before: string | null;
}

interface Knowledge {
  readonly configured: readonly SourcePlace[];
  /** What the point that the source comes from knows of it. */
  readonly recordOf: (source: string) => Manifest['sources'][string] | undefined;
  readonly dataDirectory: string | undefined;
}

/** Throws `usage` when nothing says where a source belongs. */
export function placesOf(names: readonly string[], knowledge: Knowledge): Place[] {
  return names.map((name) => placeOf(name, knowledge));
}

function placeOf(source: string, { configured, recordOf, dataDirectory }: Knowledge): Place {
  const settings = configured.find(({ name }) => name === source);
  const record = recordOf(source);
  const type = settings?.type ?? record?.type;
  if (type === 'postgres') {
    const recorded = record?.type === 'postgres' ? record.facts.dataDirectory : undefined;
    const path = dataDirectory ?? recorded;
    if (path !== undefined) return { source, type, path };
    throw new Failure('usage', `Where is the data directory of "${source}"? The point does not say.`, {
      hint: 'Name it with --data-directory, as "show data_directory" prints it.',
    });
  }
  if (settings?.type === 'files') return { source, type: 'files', path: settings.path };
  if (settings?.type === 'config') return { source, type: 'config', paths: settings.paths, base: settings.base };
  if (record?.type === 'files' && record.path !== undefined) return { source, type: 'files', path: record.path };
  throw new Failure('usage', `Where does "${source}" belong? Neither the configuration nor the point says.`, {
    hint: 'Restore it into a new directory with --to.',
  });
}

/** Throws `confirmation_missing`, with the list of what would be replaced, unless the right name was given. */
export function confirmed(given: string | undefined, app: string, replaced: readonly ReplacedPlace[]): void {
  const sources = new Set(replaced.map(({ source }) => source));
  const names = sources.size === 1 ? [app, ...sources] : [app];
  if (given !== undefined && names.includes(given)) return;
  const what =
    given === undefined ? 'This replaces what the app uses' : `"${given}" is not the name of what is replaced`;
  throw new Failure('confirmation_missing', `${what}:`, {
    hint: `When that is meant, say so: --confirm ${app}`,
    details: { problems: replaced.map(({ source, path }) => ({ path: source, message: path })) },
  });
}
