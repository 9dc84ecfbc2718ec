/** A reverse proxy on loopback, as it stands before several servers: requests go to them in turn, and to the next where one is not there. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pipeline } from 'node:stream';
import { buffer } from 'node:stream/consumers';

export interface ReverseProxy extends AsyncDisposable {
  readonly url: string;
}

/** The header of an answer that names the port of the server it is from. */
export const ANSWERED_BY = 'x-answered-by';

/** `ports`: of the servers, on loopback. Answers flow as they come; one whose server dies is cut off. */
export async function startReverseProxy(ports: readonly number[]): Promise<ReverseProxy> {
  let turn = 0;
  const server = createServer(async (asked, answer) => {
    const inTurn = ports.map((_, at) => ports[(turn + at) % ports.length]!);
    turn += 1;
    forward({ asked, body: await buffer(asked), answer }, inTurn);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

interface Exchange {
  readonly asked: IncomingMessage;
  readonly body: Buffer;
  readonly answer: ServerResponse;
}

function forward(exchange: Exchange, [port, ...others]: readonly number[]): void {
  const { asked, body, answer } = exchange;
  if (port === undefined) return void answer.writeHead(502).end();
  const { method, url, headers, socket } = asked;
  const before = headers['x-forwarded-for'];
  const client = `${before === undefined ? '' : `${before}, `}${socket.remoteAddress}`;
  const onward = request({
    ...{ host: '127.0.0.1', port, method, path: url, agent: false },
    headers: { ...headers, 'x-forwarded-for': client, 'x-forwarded-proto': 'http' },
  });
  onward.once('response', (response) => {
    answer.writeHead(response.statusCode!, { ...response.headers, [ANSWERED_BY]: String(port) });
    pipeline(response, answer, () => {}); // cut off on one side is cut off on the other
  });
  onward.once('error', ({ code }: NodeJS.ErrnoException) => {
    if (answer.headersSent) answer.destroy();
    else forward(exchange, code === 'ECONNREFUSED' ? others : []);
  });
  answer.once('close', () => onward.destroy());
  onward.end(body);
}
