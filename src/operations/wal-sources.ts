/** Which databases of an app are archived. */
import { Failure } from '../base/failure.ts';
import type { Configuration } from '../config/configuration.ts';
import type { PostgresSourceSettings } from '../config/settings.ts';

/** All postgres sources of an app whose WAL is archived, or the one asked for, in the order of the file. */
export async function archivedSources(
  config: Configuration,
  app: string,
  asked?: string,
): Promise<PostgresSourceSettings[]> {
  const names = config.sourceTypes(app).flatMap(({ name, type }) => (type === 'postgres' ? [name] : []));
  const all = await Promise.all((asked === undefined ? names : [asked]).map((name) => config.source(app, name)));
  return all.flatMap((source) => (source.type === 'postgres' && source.wal.mode !== 'off' ? [source] : []));
}

/** The one that is meant: the one asked for, or the only one. Throws `source_unknown`, `config_invalid`. */
export async function archivedSource(
  config: Configuration,
  app: string,
  asked: string | undefined,
): Promise<PostgresSourceSettings> {
  const sources = await archivedSources(config, app, asked);
  if (sources.length > 1) {
    const choice = sources.map(({ name }) => name).join(', ');
    throw new Failure('source_unknown', 'Which source is meant?', { hint: `Say it with --source: ${choice}.` });
  }
  if (sources[0] !== undefined) return sources[0];
  const what = asked === undefined ? `App ${app} has no source` : `Source ${asked} is none`;
  throw new Failure('config_invalid', `${what} whose WAL is archived.`, {
    hint: 'Write "wal: push" (or "stream") at the postgres source in the configuration.',
  });
}
