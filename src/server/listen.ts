/** The socket: HTTP/1.1, plain or TLS, with bounds on how long and how large a request may be. */
import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Failure } from '../base/failure.ts';
import type { ServerApp } from './app.ts';

export interface ListenOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

export interface Listening {
  readonly url: string;
  /** Another certificate, for connections from now on. */
  renew(tls: { readonly cert: string; readonly key: string }): void;
  /** No new connections; waits for answers under way, at most `ms`, then cuts them. Abort the signal of the app first: streams end by it. */
  close(ms: number): Promise<void>;
}

const BOUNDS = {
  /** ms until the headers, and until all of a request, must be there. */
  headersTimeout: 15_000,
  requestTimeout: 60_000,
  keepAliveTimeout: 65_000,
  maxHeaderSize: 32 * 1024,
  connectionsCheckingInterval: 5_000,
};
const MAX_HEADERS = 100;

/** Throws `usage` when the place is taken or not ours. */
export async function listen(app: ServerApp, { host, port, tls }: ListenOptions): Promise<Listening> {
  const answer = getRequestListener((request, bindings) => app.fetch(request, bindings), {
    errorHandler: () => new Response(null, { status: 400 }),
  });
  const server = tls === undefined ? createServer(BOUNDS, answer) : createTlsServer({ ...BOUNDS, ...tls }, answer);
  server.maxHeadersCount = MAX_HEADERS;
  server.on('clientError', (_error, socket) => {
    if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  });
  await bind(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${bound}`,
    renew: (next) => {
      if ('setSecureContext' in server) server.setSecureContext(next);
    },
    close: (ms) => close(server, ms),
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const why = cause.code === 'EADDRINUSE' ? 'somebody listens there already' : cause.message;
      reject(new Failure('usage', `The server cannot listen on ${host}:${port}: ${why}.`, { cause }));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server, ms: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), ms);
    server.close(() => {
      clearTimeout(cut);
      resolve();
    });
    server.closeIdleConnections();
  });
}
