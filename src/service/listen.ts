/** The port: HTTP, or HTTPS with a certificate that is read again when its files change. */
import { createServer } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer, type ServerType } from '@hono/node-server';
import { errno } from '../base/errno.ts';
import { Failure } from '../base/failure.ts';
import type { ServerSettings } from '../config/settings.ts';
import { followCertificate, LEAST_TLS, readCertificate } from './certificate.ts';
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

/** Throws `usage` when the address cannot be had, `config_invalid` for a certificate that cannot be used. */
export async function listen(
  fetch: Fetch,
  settings: ServerSettings,
  world: Pick<ServiceWorld, 'clock' | 'log' | 'signal' | 'configuration'>,
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
          serverOptions: { ...limits, ...certificate, minVersion: LEAST_TLS },
        });
  await bound(server, host, port);
  if (tls !== undefined) void followCertificate(server as SecureServer, tls, world);
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
    server.once('error', (error: Error) => {
      const why = errno(error) === 'EADDRINUSE' ? 'somebody else listens there' : error.message;
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
