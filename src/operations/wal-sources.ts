/** Which databases of an app are archived. */
import { Failure } from '../base/failure.ts';
import type { Configuration } from '../config/configuration.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';

type WalMode = PostgresSourceSettings['wal']['mode'];

const ARCHIVED: readonly WalMode[] = ['stream', 'push'];

/** All postgres sources of an app whose WAL is archived (in one of `modes`), or the one asked for, in the order of the file. */
export async function archivedSources(
  config: Configuration,
  app: string,
  asked?: string,
  modes = ARCHIVED,
): Promise<PostgresSourceSettings[]> {
  const names = config.sourceTypes(app).flatMap(({ name, type }) => (type === 'postgres' ? [name] : []));
  const all = await Promise.all((asked === undefined ? names : [asked]).map((name) => config.source(app, name)));
  return all.flatMap((source) => (source.type === 'postgres' && modes.includes(source.wal.mode) ? [source] : []));
}

/** The one that is meant: the one asked for, or the only one. Throws `source_unknown`, `config_invalid`. */
export async function archivedSource(
  config: Configuration,
  app: string,
  asked: string | undefined,
): Promise<PostgresSourceSettings> {
  const sources = await archivedSources(config, app, asked);
  return only(
    sources,
    app,
    asked,
    'archived',
    'Write "wal: push" (or "stream") at the postgres source in the configuration.',
  );
}

/** The same among those whose `wal` is `stream`. */
export async function streamedSource(
  config: Configuration,
  app: string,
  asked: string | undefined,
): Promise<PostgresSourceSettings> {
  const sources = await archivedSources(config, app, asked, ['stream']);
  return only(sources, app, asked, 'streamed', 'Write "wal: stream" at the postgres source in the configuration.');
}

function only<T extends { readonly name: string }>(
  sources: readonly T[],
  app: string,
  asked: string | undefined,
  done: string,
  hint: string,
): T {
  if (sources.length > 1) {
    const choice = sources.map(({ name }) => name).join(', ');
    throw new Failure('source_unknown', 'Which source is meant?', { hint: `Say it with --source: ${choice}.` });
  }
  if (sources[0] !== undefined) return sources[0];
  const what = asked === undefined ? `App ${app} has no source` : `Source ${asked} is none`;
  throw new Failure('config_invalid', `${what} whose WAL is ${done}.`, { hint });
}
