/** A TCP port of 127.0.0.1 that nobody used a moment ago. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below the ports that systems give to whoever asks for any: between asking and listening nobody gets ours by chance. */
const [FROM, TO] = [10_240, 32_768];
const TRIES = 50;

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES; tries++) {
    const port = await listenedOn(randomInt(FROM, TO)).catch(() => undefined);
    if (port !== undefined) return port;
  }
  return listenedOn(0);
}

/** Listens for a moment; the port, another than `port` where that is 0. Rejects when somebody has it. */
function listenedOn(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
}
