/** The service's API in the process of a command, on the machine of the service: no address, no token, the same routes. */
import { type LogFields, quiet } from '../base/log.ts';
import { Client } from '../client/client.ts';
import { openLocalApi } from '../service/local-api.ts';
import type { Context } from './context.ts';
import { type RemoteContext, through } from './remote.ts';

/** Never asked for: requests stay in the process. */
const NOWHERE = 'http://localhost';

/** Runs `work` against the catalog of the configuration. */
export async function askHere<T>(context: Context, work: (here: RemoteContext) => Promise<T>): Promise<T> {
  const { clock, build, env, signal, output } = context;
  const error = (_message: string, { code, problem }: LogFields = {}) => {
    if (code === 'internal') void output.warn(String(problem)); // of all others the answer tells it
  };
  const log = { ...quiet, error };
  await using api = await openLocalApi(await context.config(), { clock, build, env, log });
  return await work(through(context, new Client({ url: NOWHERE, signal, fetch: (request) => api.fetch(request) })));
}
