/** One address for servers that come and go: a TCP port that leads to whichever server is in front, or to none. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { Transform } from 'node:stream';
import type { TestServer } from './server.ts';

export interface Front extends AsyncDisposable {
  readonly url: string;
  /** Leads new connections to `server`, or nowhere, and cuts those there are. */
  to(server: Pick<TestServer, 'instance'> | undefined): void;
  /** Connections stay, and nothing passes any more; until the next `to`. */
  freeze(): void;
  /** From now on whatever the server says comes `ms` late. */
  slow(ms: number): void;
}

export async function startFront(first?: Pick<TestServer, 'instance'>): Promise<Front> {
  let target = first;
  let delay = 0;
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    client.on('error', () => {});
    sockets.add(client);
    client.on('close', () => sockets.delete(client));
    if (target === undefined) {
      client.destroy();
      return;
    }
    const { socketDir, port } = target.instance;
    const upstream = connect(join(socketDir, `.s.PGSQL.${port}`));
    sockets.add(upstream);
    upstream.on('close', () => {
      sockets.delete(upstream);
      client.destroy();
    });
    upstream.on('error', () => client.destroy());
    client.on('close', () => upstream.destroy());
    const late = new Transform({
      transform: (chunk, _encoding, done) => {
        if (delay === 0) done(null, chunk);
        else setTimeout(done, delay, null, chunk);
      },
    });
    client.pipe(upstream).pipe(late).pipe(client);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: `postgres://postgres@127.0.0.1:${(listener.address() as AddressInfo).port}/postgres?sslmode=disable`,
    to: (server) => {
      target = server;
      cut();
    },
    freeze: () => {
      for (const socket of sockets) {
        socket.unpipe();
        socket.pause();
      }
    },
    slow: (ms) => {
      delay = ms;
    },
    [Symbol.asyncDispose]: async () => {
      cut();
      listener.close();
      await once(listener, 'close');
    },
  };
}
