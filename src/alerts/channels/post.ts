/**
 * HTTP for channels. The name is resolved here, its addresses are looked at, and the connection goes to those very addresses: a name that
 * changes in between leads nowhere else. Redirects are not followed, answers are bounded in size and time.
 */
import { promises as dns, type LookupAddress } from 'node:dns';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP } from 'node:net';
import { errorCode } from '../../base/errno.ts';
import { Failure } from '../../base/failure.ts';
import { printable } from '../../base/printable.ts';
import { isPublic } from './address.ts';
import type { ChannelWorld } from './channel.ts';

const MAX_ANSWER = 16 * 1024;
const SHOWN = 200;

export interface Post {
  readonly url: string;
  readonly method?: 'POST' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly allowPrivate: boolean;
  /** ms for all of it. */
  readonly timeout: number;
  /** What must not stand in a message. */
  readonly secrets: readonly string[];
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Resolves with the status and the beginning of the answer, such as `200 ok`. Throws `channel_failed`, `channel_refused`. */
export async function post(what: Post, world: ChannelWorld): Promise<string> {
  const url = new URL(what.url);
  const addresses = await addressesOf(url, what.allowPrivate, world);
  const late = AbortSignal.timeout(what.timeout);
  try {
    const answer = await exchange(url, what, addresses, AbortSignal.any([world.signal, late]));
    return judge(answer, url, what.secrets);
  } catch (error) {
    if (error instanceof Failure) throw error;
    world.signal.throwIfAborted();
    const why = late.aborted ? `did not answer within ${what.timeout / 1000} s` : complaint(error);
    throw new Failure('channel_failed', `${url.host} ${why}.`);
  }
}

/** The addresses that may be connected to. */
async function addressesOf(url: URL, allowPrivate: boolean, world: ChannelWorld): Promise<readonly LookupAddress[]> {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(host);
  const found = family === 0 ? await lookUp(host, world) : [{ address: host, family }];
  const closed = allowPrivate ? undefined : found.find(({ address }) => !isPublic(address));
  if (closed === undefined) return found;
  throw new Failure(
    'channel_refused',
    `${url.hostname} leads to ${closed.address}, which is not an address of the Internet.`,
    {
      hint: 'If the receiver stands in your own network, set allowPrivate: true for this channel.',
    },
  );
}

async function lookUp(host: string, world: ChannelWorld): Promise<readonly LookupAddress[]> {
  try {
    const found = await (world.lookup ?? ((name) => dns.lookup(name, { all: true })))(host);
    if (found.length > 0) return found;
  } catch (error) {
    throw new Failure('channel_failed', `The name ${host} cannot be resolved: ${(error as Error).message}.`);
  }
  throw new Failure('channel_failed', `The name ${host} has no address.`);
}

function exchange(url: URL, what: Post, addresses: readonly LookupAddress[], signal: AbortSignal): Promise<Answer> {
  const body = Buffer.from(what.body);
  const send = url.protocol === 'https:' ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(url, {
      method: what.method ?? 'POST',
      headers: { 'user-agent': 'holdfast', ...what.headers, 'content-length': body.length },
      agent: false, // a connection of its own, to the addresses that were looked at
      lookup: (_host, options, done) => {
        const first = addresses[0]!;
        if (options.all === true) done(null, [...addresses]);
        else done(null, first.address, first.family);
      },
      signal,
    });
    request.on('error', reject);
    request.on('response', (response) => {
      read(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
    });
    request.end(body);
  });
}

async function read(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of response as AsyncIterable<Buffer>) {
    parts.push(part);
    size += part.length;
    if (size > MAX_ANSWER) break; // leaving the loop closes the connection
  }
  return Buffer.concat(parts).toString('utf8', 0, MAX_ANSWER);
}

function judge({ status, text }: Answer, url: URL, secrets: readonly string[]): string {
  const told = `${status} ${shown(text, secrets)}`.trim();
  if (status >= 200 && status < 300) return told;
  if (status >= 300 && status < 400)
    throw new Failure('channel_refused', `${url.host} answered ${status}, a redirect; redirects are not followed.`);
  const passes = status === 408 || status === 425 || status === 429 || status >= 500;
  throw new Failure(passes ? 'channel_failed' : 'channel_refused', `${url.host} answered ${told}.`);
}

function shown(text: string, secrets: readonly string[]): string {
  const hidden = secrets.filter((secret) => secret.length >= 4);
  const clean = hidden.reduce((rest, secret) => rest.replaceAll(secret, '********'), text);
  return printable(clean.replace(/\s+/g, ' ').trim().slice(0, SHOWN));
}

function complaint(error: unknown): string {
  const code = errorCode(error);
  if (code === 'ECONNRESET') return 'cut the connection';
  return `cannot be reached: ${code ?? (error instanceof Error ? error.message : String(error))}`;
}
