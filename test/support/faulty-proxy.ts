/**
 * An HTTP proxy in front of a real service that breaks chosen requests the way networks and services break them.
 *
 *     await using proxy = await startFaultyProxy({ upstream: s3.endpoint });
 *     const rule = proxy.inject({ method: 'PUT', path: /data\//, times: 2, fault: { kind: 'loseReply' } });
 *     … use proxy.endpoint in place of s3.endpoint …
 *     assert.equal(rule.hits, 2);
 *     proxy.recover();                                  // removes every rule
 *
 * Rules are tried in the order in which they were injected; the first that matches and is not used up decides. What no rule matches
 * passes unchanged, Host header included, so that signatures hold. Nothing is kept in memory longer than one body.
 */
import { once } from 'node:events';
import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';

export type ProxyFault =
  /** The connection is cut before the service hears of the request. */
  | { readonly kind: 'cut' }
  /** The service does it; the connection is cut instead of the reply. */
  | { readonly kind: 'loseReply' }
  /** The service is not asked; this is the answer. Headers allow redirects; the body defaults to an S3 error of that `code`. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly code?: string;
      readonly body?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  /** The request is taken and never answered. */
  | { readonly kind: 'hang' }
  /** The request is forwarded `ms` later. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** The reply promises its whole length, brings `bytes` of the body, and the connection is cut. */
  | { readonly kind: 'truncate'; readonly bytes: number }
  /** The reply brings `bytes` of the body and then falls silent. */
  | { readonly kind: 'stall'; readonly bytes: number }
  /** One bit of the reply's body is wrong. */
  | { readonly kind: 'flipBit' };

export interface ProxyRule {
  readonly method?: string;
  /** Tried against path and query. */
  readonly path?: RegExp;
  /** Matching requests that pass unharmed first; default 0. */
  readonly skip?: number;
  /** Requests it breaks before it is used up; default without end. */
  readonly times?: number;
  readonly fault: ProxyFault;
}

export interface InjectedProxyRule {
  /** How many requests it broke. */
  readonly hits: number;
  remove(): void;
}

export interface FaultyProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** Every request seen: method, path and query. */
  readonly requests: ReadonlyArray<{ readonly method: string; readonly path: string }>;
  inject(rule: ProxyRule): InjectedProxyRule;
  recover(): void;
  close(): Promise<void>;
}

export interface FaultyProxyOptions {
  /** `http://host:port` of the real service. */
  readonly upstream: string;
  /** Speak TLS to clients, with this key and certificate (PEM). */
  readonly tls?: { readonly key: string; readonly cert: string };
}

interface ActiveRule {
  readonly rule: ProxyRule;
  seen: number;
  hits: number;
}

export async function startFaultyProxy({ upstream, tls }: FaultyProxyOptions): Promise<FaultyProxy> {
  let rules: ActiveRule[] = [];
  const requests: Array<{ method: string; path: string }> = [];
  const sockets = new Set<Socket>();
  const handler = (incoming: IncomingMessage, reply: ServerResponse) => {
    const { method = '', url: path = '' } = incoming;
    requests.push({ method, path });
    pass(new URL(upstream), incoming, reply, nextFault(rules, method, path)).catch(() => incoming.socket.destroy());
  };
  const server: Server = tls ? createTlsServer(tls, handler) : createServer(handler);
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return {
    endpoint: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close,
    recover: () => {
      rules = [];
    },
    inject: (rule) => {
      const active: ActiveRule = { rule, seen: 0, hits: 0 };
      rules.push(active);
      return {
        get hits() {
          return active.hits;
        },
        remove: () => {
          rules = rules.filter((other) => other !== active);
        },
      };
    },
    [Symbol.asyncDispose]: close,
  };
}

function nextFault(rules: readonly ActiveRule[], method: string, path: string): ProxyFault | undefined {
  for (const active of rules) {
    const { method: wanted = method, path: pattern, skip = 0, times = Number.POSITIVE_INFINITY, fault } = active.rule;
    if (wanted !== method || (pattern && !pattern.test(path)) || active.hits >= times) continue;
    if (active.seen++ < skip) continue;
    active.hits++;
    return fault;
  }
  return undefined;
}

async function pass(upstream: URL, incoming: IncomingMessage, reply: ServerResponse, fault: ProxyFault | undefined) {
  switch (fault?.kind) {
    case 'cut':
      incoming.socket.destroy();
      return;
    case 'hang':
      incoming.resume();
      return;
    case 'answer':
      return answer(incoming, reply, fault);
    case 'delay':
      await sleep(fault.ms, undefined, { ref: false });
      break;
  }
  const response = await ask(upstream, incoming);
  await relay(response, incoming.socket, reply, fault);
}

async function answer(incoming: IncomingMessage, reply: ServerResponse, fault: ProxyFault & { kind: 'answer' }) {
  incoming.resume();
  await once(incoming, 'end');
  const { status, code = 'InternalError', headers = {} } = fault;
  const body = fault.body ?? `<?xml version="1.0"?><Error><Code>${code}</Code><Message>on purpose</Message></Error>`;
  reply.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body), ...headers });
  reply.end(incoming.method === 'HEAD' ? undefined : body);
}

async function ask(upstream: URL, incoming: IncomingMessage): Promise<IncomingMessage> {
  const { method, url: path, headers } = incoming;
  const outgoing: ClientRequest = request({
    host: upstream.hostname,
    port: upstream.port,
    method,
    path,
    headers,
    agent: false,
  });
  incoming.pipe(outgoing);
  incoming.once('error', () => outgoing.destroy());
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  return response;
}

async function relay(response: IncomingMessage, client: Socket, reply: ServerResponse, fault: ProxyFault | undefined) {
  const body = await buffer(response);
  if (fault?.kind === 'loseReply') {
    client.destroy();
    return;
  }
  reply.writeHead(response.statusCode ?? 502, response.headers);
  if (fault?.kind !== 'truncate' && fault?.kind !== 'stall') {
    reply.end(fault?.kind === 'flipBit' ? flipped(body) : body);
    return;
  }
  await new Promise<unknown>((resolve) => reply.write(body.subarray(0, Math.max(fault.bytes, 1)), resolve));
  if (fault.kind === 'truncate') client.destroy();
}

function flipped(body: Buffer): Buffer {
  const middle = body.byteLength >> 1;
  if (middle < body.byteLength) body.writeUInt8(body.readUInt8(middle) ^ 1, middle);
  return body;
}
