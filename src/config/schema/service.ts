/** The service: where it keeps its own records, where it listens, what its workers are. */
import { isIP } from 'node:net';
import * as z from 'zod';
import { accessKeys } from './access.ts';
import { exchange } from './exchange.ts';
import { keep } from './keep.ts';
import { checkedText, count, mapping, name, path, secret, text } from './scalars.ts';

const MAX_CONCURRENCY = 64;

export const catalog = mapping({
  path: path('The file of SQLite it is kept in.').optional(),
  url: secret('A database of PostgreSQL to keep it in instead: needed for several machines.', urlProblem).optional(),
  keep,
})
  .refine(({ path: file, url }) => file === undefined || url === undefined, {
    error: 'names both a path and a url; one of them is meant',
  })
  .describe('The records of the service: runs, schedules, alerts, users. It can be lost; the storages hold the truth.')
  .prefault({});

export const server = mapping({
  listen: checkedText('The address and port it listens on.', listenProblem).default('127.0.0.1:8420'),
  url: checkedText('Where people reach it, when a proxy stands before it.', webProblem).optional(),
  exchange,
  ...accessKeys,
})
  .describe('The HTTP API.')
  .prefault({});

export const labels = z
  .record(name, text('A value.'), { error: 'must map names to values' })
  .describe('Labels: work goes to the workers that have them.');

export const worker = mapping({
  name: text('What it is called. Absent: the name of the machine.').optional(),
  labels: labels.default({}),
  concurrency: count('How many runs it carries out at once.', 1, MAX_CONCURRENCY).default(2),
})
  .describe('Who carries out runs on this machine.')
  .prefault({});

function urlProblem(written: string): string | undefined {
  return /^postgres(ql)?:\/\//.test(written) ? undefined : 'must be a URL that begins with postgres://';
}

function listenProblem(written: string): string | undefined {
  const { host, port } = splitListen(written);
  const named = host === 'localhost' || isIP(host) !== 0;
  return named && port >= 0 && port <= 65535 ? undefined : 'must be an address and a port, such as 127.0.0.1:8420';
}

/** `127.0.0.1:8420`, `[::1]:8420`, `localhost:8420`; a port of 0 is any free one. */
export function splitListen(written: string): { readonly host: string; readonly port: number } {
  const [, host = '', port = '-1'] = /^(.+):(\d{1,5})$/.exec(written) ?? [];
  return { host: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) };
}

function webProblem(written: string): string | undefined {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  const good = (url?.protocol === 'https:' || url?.protocol === 'http:') && url.username === '' && url.search === '';
  return good ? undefined : 'must be an http or https URL';
}
