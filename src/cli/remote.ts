/** A command that works through a server: the same flags, the same printing, the same exit statuses; what is done is done there. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Endpoint } from '../api/endpoint.ts';
import type { AcceptedRun } from '../api/runs.ts';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import { given } from '../base/given.ts';
import { type Asked, Client } from '../client/client.ts';
import { type EndedRun, followThere, runThere } from '../client/follow.ts';
import type { Context } from './context.ts';

export interface RemoteContext extends Context {
  readonly server: RemoteServer;
}

export interface RemoteServer {
  readonly client: Client;
  /** `{ app }` where one was named. */
  readonly app: { readonly app?: string };
  /** The document that the command prints with `--json`: a server of the same version has the same. */
  document<T>(endpoint: Endpoint, asked?: Asked<Endpoint>): Promise<T>;
  /** Asks for a run, follows it, and resolves with its summary. Parameters that are undefined, false or empty are left out. */
  run<T>(kind: string, params: Readonly<Record<string, unknown>>): Promise<T>;
  /** Follows a run that another route has queued. */
  follow(accepted: AcceptedRun): Promise<EndedRun>;
}

/** Throws `usage` without a token. */
export async function connect(context: Context, url: string): Promise<RemoteContext> {
  return through(context, new Client({ url, token: await readToken(context), signal: context.signal }));
}

/** A command's context with somebody who answers for the service. */
export function through(context: Context, client: Client): RemoteContext {
  const { signal, clock, progress, flags } = context;
  const app = given('app', flags.app);
  return {
    ...context,
    server: {
      ...{ client, app },
      document: async <T>(endpoint: Endpoint, asked: Asked<Endpoint> = {}) => (await client.call(endpoint, asked)) as T,
      run: async <T>(kind: string, params: Readonly<Record<string, unknown>>) =>
        (await runThere({ client, clock, progress, signal }, { kind, app: flags.app, params: meant(params) })) as T,
      follow: (accepted) => followThere({ client, clock, progress, signal }, accepted),
    },
  };
}

const TOKEN_HINT = 'The file holds one line, which "holdfast token create" printed on the machine of the service.';

async function readToken({ flags, env, cwd }: Context): Promise<string> {
  const file = flags.tokenFile ?? env.HOLDFAST_TOKEN_FILE;
  if (file === undefined || file === '')
    throw new Failure('usage', 'A server wants to know who asks.', {
      hint: 'Name the file that holds your token: --token-file FILE, or HOLDFAST_TOKEN_FILE. "holdfast token create" makes one.',
    });
  try {
    const token = (await readFile(resolve(cwd, file), 'utf8')).trim();
    if (/^[\x21-\x7e]+$/.test(token)) return token;
  } catch (cause) {
    const code = errno(cause);
    const { message } = cause as Error;
    const why = code === 'ENOENT' ? 'does not exist' : code === 'EACCES' ? 'may not be read by this account' : message;
    throw new Failure('usage', `The token cannot be read: ${file} ${why}.`, { hint: TOKEN_HINT, cause });
  }
  throw new Failure('usage', `${file} holds no token.`, { hint: TOKEN_HINT });
}

function meant(params: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const says = (value: unknown) =>
    value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(params).filter(([, value]) => says(value)));
}
