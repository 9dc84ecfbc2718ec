/** The running database that is meant: a configured source, an address kept in the environment, or a URL without a password. */

import { Failure } from '../../base/failure.ts';
import type { Configuration } from '../../config/configuration.ts';
import { type ConnectionSettings, parseConnectionUrl } from '../../postgres/connection-settings.ts';

export type { ConnectionSettings } from '../../postgres/connection-settings.ts';

export interface TargetAsked {
  /** The name of a source, `env:NAME`, or a URL. */
  readonly written: string;
  /** Another database of the same server. */
  readonly database?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** Throws `usage` for a password on the command line, `source_unknown`, `config_invalid`, `secret_unavailable`. */
export async function runningDatabase(
  config: Configuration,
  app: string,
  { written, database, env }: TargetAsked,
): Promise<ConnectionSettings> {
  const settings = parseConnectionUrl(await urlOf(config, app, written, env));
  return database === undefined ? settings : { ...settings, database };
}

async function urlOf(config: Configuration, app: string, written: string, env: TargetAsked['env']): Promise<string> {
  if (written.startsWith('env:')) {
    const url = env[written.slice('env:'.length)];
    if (url) return url;
    throw new Failure('secret_unavailable', `The environment variable ${written.slice('env:'.length)} is not set.`);
  }
  if (/^postgres(ql)?:\/\//.test(written)) {
    if (parseConnectionUrl(written).password === undefined) return written;
    throw new Failure('usage', 'A password on the command line can be read by everybody on this machine.', {
      hint: 'Put the URL into an environment variable and write env:NAME, or name a source of the configuration.',
    });
  }
  const source = await config.source(app, written);
  if (source.type === 'postgres') return source.url;
  throw new Failure('usage', `The source "${written}" is not a database.`);
}

/** The only database of the app. Throws `source_unknown` when there are several or none. */
export function onlyDatabase(config: Configuration, app: string): string {
  const names = config.sourceTypes(app).flatMap(({ name, type }) => (type === 'postgres' ? [name] : []));
  if (names.length === 1) return names[0]!;
  throw new Failure('source_unknown', names.length === 0 ? `App ${app} has no database.` : 'Which database is meant?', {
    ...(names.length === 0 ? {} : { hint: `Say it with --source: ${names.join(', ')}.` }),
  });
}
