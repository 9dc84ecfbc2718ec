/** Opens an authenticated node-postgres client: TLS by sslmode, time limits, interruption, and errors as Failures. */
import type { Socket } from 'node:net';
import pg from 'pg';
import { Failure } from '../base/failure.ts';
import { type ConnectionSettings, describeTarget, tlsAttempts } from './connection-settings.ts';
import { connectionFailure } from './server-error.ts';

/** The `replication` start-up parameter: `database` allows SQL too and obeys ordinary pg_hba lines; `true` is the older kind. */
export type ReplicationMode = 'database' | 'true';

export interface ConnectOptions {
  readonly signal?: AbortSignal | undefined;
  readonly replication?: ReplicationMode;
  /** Called in the same tick in which the server is ready, before any later byte is parsed. */
  readonly onReady?: (client: pg.Client) => void;
  /** Makes the socket of an attempt without TLS; default an ordinary one. */
  readonly socket?: () => Socket;
}

/** TCP keepalive probes begin after this many milliseconds of silence. */
const KEEPALIVE_MS = 30_000;

/** Connects, trying with and without TLS as the sslmode says; throws Failure `postgres_unreachable` or `postgres_refused`. */
export async function connectClient(settings: ConnectionSettings, options: ConnectOptions): Promise<pg.Client> {
  const attempts = tlsAttempts(settings);
  for (const [index, tls] of attempts.entries()) {
    try {
      return await attempt(settings, tls, options);
    } catch (error) {
      if (options.signal?.aborted) throw new Failure('interrupted', 'Interrupted while connecting to PostgreSQL.');
      if (index + 1 === attempts.length || !mayRetryOtherwise(error)) {
        throw connectionFailure(error, `Connecting to ${describeTarget(settings)}`, 'postgres_refused');
      }
    }
  }
  throw new Failure('internal', 'No way to connect was tried.');
}

/** Whether the other of TLS and plain may succeed: the server has no TLS, or its pg_hba refuses this kind. */
function mayRetryOtherwise(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return code === '28000' || (typeof message === 'string' && /SSL|TLS/i.test(message));
}

async function attempt(
  settings: ConnectionSettings,
  tls: pg.ClientConfig['ssl'] | false,
  options: ConnectOptions,
): Promise<pg.Client> {
  const config: pg.ClientConfig & { replication?: ReplicationMode } = {
    host: settings.host,
    port: settings.port,
    user: settings.user,
    database: settings.database,
    ssl: tls ?? false,
    ...(options.socket !== undefined && !tls ? { stream: options.socket } : {}),
    application_name: settings.applicationName,
    connectionTimeoutMillis: settings.connectTimeoutMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEPALIVE_MS,
    ...(settings.password === undefined ? {} : { password: settings.password }),
    ...(settings.options === undefined ? {} : { options: settings.options }),
    ...(options.replication ? { replication: options.replication } : {}),
  };
  const client = new pg.Client(config);
  // Errors of an open connection reach whoever uses it; without a listener they would end the process.
  client.on('error', () => {});
  const abort = () => client.connection.stream.destroy();
  options.signal?.throwIfAborted();
  options.signal?.addEventListener('abort', abort, { once: true });
  try {
    await new Promise<void>((resolve, reject) => {
      client.connect((error: Error | null | undefined) => {
        if (error) return reject(error);
        options.onReady?.(client);
        resolve();
      });
    });
    return client;
  } catch (error) {
    client.connection.stream.destroy();
    throw error;
  } finally {
    options.signal?.removeEventListener('abort', abort);
  }
}
