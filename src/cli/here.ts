/** The service's API in the process of a command, on the machine of the service: no address, no token, the same routes. */
import { quiet } from '../base/log.ts';
import { Client } from '../client/client.ts';
import { openLocalApi } from '../service/local-api.ts';
import type { Context } from './context.ts';
import { type RemoteContext, through } from './remote.ts';

/** Never asked for: requests stay in the process. */
const NOWHERE = 'http://localhost';

/** Runs `work` against the catalog of the configuration. */
export async function askHere<T>(context: Context, work: (here: RemoteContext) => Promise<T>): Promise<T> {
  const { clock, build, env, signal, output } = context;
  const told = (fields: Readonly<Record<string, unknown>> = {}) => void output.warn(String(fields.problem));
  const log = { ...quiet, error: (_message: string, fields?: Readonly<Record<string, unknown>>) => told(fields) };
  await using api = await openLocalApi(await context.config(), { clock, build, env, log });
  return await work(through(context, new Client({ url: NOWHERE, signal, fetch: (request) => api.fetch(request) })));
}
