/** The port: HTTP, or HTTPS with a certificate that is read again when its files change. */
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { Failure } from '../base/failure.ts';
import type { ServerSettings } from '../config/settings.ts';
import type { ServiceWorld } from './world.ts';

type Fetch = (request: Request, bindings?: object) => Promise<Response>;

export interface Listening {
  /** Where it is reached on this machine. */
  readonly url: string;
  /** Takes nothing new, lets requests under way end for `ms`, then cuts them off. */
  close(ms: number): Promise<void>;
}

/** A slow or idle client holds a connection no longer than this, in ms. */
const HEADERS_MS = 20_000;
const KEEP_ALIVE_MS = 65_000;
const MAX_HEADER = 16 * 1024;
const CERTIFICATE_EVERY = 60_000;

/** Throws `usage` when the address cannot be had, `config_invalid` for a certificate that cannot be used. */
export async function listen(
  fetch: Fetch,
  settings: ServerSettings,
  { clock, log, signal }: ServiceWorld,
): Promise<Listening> {
  const { host, port, tls } = settings;
  const times = { headersTimeout: HEADERS_MS, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 }; // bodies are watched where they are read
  const limits = { maxHeaderSize: MAX_HEADER, ...times };
  const certificate = tls === undefined ? undefined : await readCertificate(tls);
  const server: ServerType =
    certificate === undefined
      ? createAdaptorServer({ fetch, createServer, serverOptions: limits })
      : createAdaptorServer({
          ...{ fetch, createServer: createSecureServer },
          serverOptions: { ...limits, ...certificate, minVersion: 'TLSv1.2' },
        });
  await bound(server, host, port);
  if (tls !== undefined) void followCertificate(server as SecureServer, tls, { clock, log, signal });
  const { port: taken } = server.address() as AddressInfo;
  const shown = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${shown}:${taken}`,
    close: async (ms) => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      if ('closeIdleConnections' in server) server.closeIdleConnections();
      const late = setTimeout(() => 'closeAllConnections' in server && server.closeAllConnections(), ms);
      await closed;
      clearTimeout(late);
    },
  };
}

function bound(server: ServerType, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why = error.code === 'EADDRINUSE' ? 'somebody else listens there' : error.message;
      reject(
        new Failure('usage', `It cannot listen on ${host}:${port}: ${why}.`, {
          hint: 'Name another address under server.listen.',
          cause: error,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}

type Files = NonNullable<ServerSettings['tls']>;

async function readCertificate({ cert, key }: Files): Promise<{ cert: Buffer; key: Buffer }> {
  try {
    return { cert: await readFile(cert), key: await readFile(key) };
  } catch (cause) {
    throw new Failure('config_invalid', `The certificate cannot be read: ${(cause as Error).message}.`, { cause });
  }
}

/** Certificates are renewed by others; a new one is taken without a restart, a broken one leaves the old in use. */
async function followCertificate(
  server: SecureServer,
  files: Files,
  { clock, log, signal }: Pick<ServiceWorld, 'clock' | 'log' | 'signal'>,
): Promise<void> {
  let known = await timesOf(files);
  while (!signal.aborted) {
    await clock.sleep(CERTIFICATE_EVERY, signal).catch(() => {});
    const now = await timesOf(files);
    if (now === known) continue;
    known = now;
    try {
      server.setSecureContext({ ...(await readCertificate(files)), minVersion: 'TLSv1.2' });
      log.info('The certificate was read again.');
    } catch (error) {
      log.error('The new certificate cannot be used; the one before stays.', { error });
    }
  }
}

async function timesOf({ cert, key }: Files): Promise<string> {
  const times = await Promise.all(
    [cert, key].map((file) =>
      stat(file)
        .then(({ mtimeMs }) => mtimeMs)
        .catch(() => 0),
    ),
  );
  return times.join(' ');
}
