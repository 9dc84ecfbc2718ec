/** A session for a command: the configuration of its context, opened. */
import * as operations from '../operations/open-session.ts';
import type { Context } from './context.ts';

export type OpenSession = operations.OpenSession;

/** Declare it with `await using`. */
export async function openSession(context: Context, use: operations.SessionUse = {}): Promise<OpenSession> {
  return operations.openSession(await context.config(), context, use);
}

/** The storages alone, for what comes before there is a repository. */
export async function openStores(context: Context, options: { readonly create?: boolean } = {}) {
  return operations.openStores(await context.config(), context.clock, options.create);
}
