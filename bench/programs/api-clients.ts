/**
 * Fifty clients in a process of their own, each on a connection that it keeps, each asking again as soon as it has its answer. They speak just
 * enough HTTP to find its end, so that they leave the processor to the server.
 *
 *   node api-clients.ts PORT TOKEN CLIENTS CALLS PATH
 *
 * Prints how long each call took, in ms, as a JSON array.
 */
import { connect } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';

const HEAD_END = '\r\n\r\n';

const [port = '', token = '', clients = '', calls = '', path = ''] = process.argv.slice(2);
const request = Buffer.from(
  `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}${HEAD_END}`,
);
const taken: number[] = [];
let left = Number(calls);
await Promise.all(Array.from({ length: Number(clients) }, client));
console.log(JSON.stringify(taken.map((ms) => Math.round(ms * 1000) / 1000)));

function client(): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(port), '127.0.0.1');
  let began = 0;
  let head = '';
  let missing = 0;
  const next = () => {
    if (left-- <= 0) {
      socket.end();
      return resolve();
    }
    head = '';
    began = systemClock.monotonic();
    socket.write(request);
  };
  socket.setNoDelay(true);
  socket.on('connect', next);
  socket.on('error', reject);
  socket.on('close', () => reject(new Error('the server closed a connection')));
  socket.on('data', (bytes) => {
    if (head.includes(HEAD_END)) missing -= bytes.length;
    else {
      head += bytes.toString('latin1');
      const end = head.indexOf(HEAD_END);
      if (end < 0) return;
      missing = bodyLength(head.slice(0, end)) - (head.length - end - HEAD_END.length);
    }
    if (missing > 0) return;
    taken.push(systemClock.monotonic() - began);
    next();
  });
  return promise;
}

function bodyLength(head: string): number {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) throw new Error(`${path} answered ${head}`);
  return Number(length);
}
