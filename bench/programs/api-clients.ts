/**
 * Clients in a process of their own, each on a connection that it keeps. They ask for the paths in turn, each beginning with another one: again
 * as soon as they have their answer, or EVERY ms after they asked. They speak just enough HTTP to find its end, so that they leave the processor
 * to the server.
 *
 *   node api-clients.ts PORT TOKEN CLIENTS CALLS EVERY PATH…
 *
 * Prints how long each call took, in ms, as a JSON array of one array for each path.
 */
import { connect } from 'node:net';
import { systemClock } from '../../src/base/clock.ts';

const HEAD_END = '\r\n\r\n';

const [port = '', token = '', clients = '', calls = '', every = '', ...paths] = process.argv.slice(2);
const requests = paths.map((path) =>
  Buffer.from(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}${HEAD_END}`),
);
const taken: number[][] = paths.map(() => []);
const pause = Number(every);
let left = Number(calls);
await Promise.all(Array.from({ length: Number(clients) }, (_, place) => client(place)));
console.log(JSON.stringify(taken.map((each) => each.map((ms) => Math.round(ms * 1000) / 1000))));

function client(place: number): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect(Number(port), '127.0.0.1');
  let turn = place;
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
    socket.write(requests[turn % requests.length]!);
  };
  socket.setNoDelay(true);
  socket.on('connect', () => setTimeout(next, (place * pause) / Number(clients))); // not all at the same moment
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
    const took = systemClock.monotonic() - began;
    taken[turn % requests.length]!.push(took);
    turn += 1;
    if (pause === 0) next();
    else setTimeout(next, Math.max(0, pause - took));
  });
  return promise;
}

function bodyLength(head: string): number {
  const length = /^content-length: (\d+)/im.exec(head)?.[1];
  if (!head.startsWith('HTTP/1.1 200 ') || length === undefined) throw new Error(`the server answered ${head}`);
  return Number(length);
}
