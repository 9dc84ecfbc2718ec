/** Where a PostgreSQL server is and who asks: parsed from a libpq URL. Nothing here ever prints the password. */
import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import type { ConnectionOptions } from 'node:tls';
import { Failure } from '../base/failure.ts';

export type SslMode = 'disable' | 'allow' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface ConnectionSettings {
  /** A host name, an address, or the directory of a Unix socket (begins with `/`). */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password?: string;
  readonly database: string;
  readonly sslMode: SslMode;
  /** PEM files: certificates that sign the server's, our certificate, our key. */
  readonly sslRootCert?: string;
  readonly sslCert?: string;
  readonly sslKey?: string;
  readonly applicationName: string;
  /** `-c name=value …`: settings of the session, which win over those stored for its database and role. */
  readonly options?: string;
  readonly connectTimeoutMs: number;
}

const SSL_MODES: readonly string[] = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'];
const DEFAULT_CONNECT_TIMEOUT_S = 15;

/**
 * Parses `postgres://user:password@host:port/database?sslmode=…&sslrootcert=…&host=/socket/dir&connect_timeout=…&application_name=…`.
 * Throws Failure `config_invalid` without quoting the URL: it may hold a password.
 */
export function parseConnectionUrl(text: string): ConnectionSettings {
  const url = parseUrl(text);
  const query = url.searchParams;
  const host = query.get('host') ?? decode(url.hostname);
  const user = decode(url.username) || (query.get('user') ?? userInfo().username);
  const password = decode(url.password) || query.get('password');
  const database = decode(url.pathname.replace(/^\//, '')) || (query.get('dbname') ?? user);
  return {
    host: unbracketed(host || 'localhost'),
    port: parsePort(url.port || query.get('port') || '5432'),
    user,
    database,
    sslMode: parseSslMode(query.get('sslmode') ?? 'prefer'),
    applicationName: query.get('application_name') ?? 'holdfast',
    connectTimeoutMs: parseTimeout(query.get('connect_timeout')) * 1000,
    ...(password ? { password } : {}),
    ...optional('sslRootCert', query.get('sslrootcert')),
    ...optional('sslCert', query.get('sslcert')),
    ...optional('sslKey', query.get('sslkey')),
  };
}

/** `user@host:port/database`, for messages. */
export function describeTarget(settings: ConnectionSettings): string {
  return `${settings.user}@${settings.host}:${settings.port}/${settings.database}`;
}

/** The TLS options to try, in order; `false` is a connection without TLS. */
export function tlsAttempts(settings: ConnectionSettings): readonly (ConnectionOptions | false)[] {
  if (settings.host.startsWith('/')) return [false];
  switch (settings.sslMode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, unverified(settings)];
    case 'prefer':
      return [unverified(settings), false];
    case 'require':
      // As libpq does: with a root certificate at hand, `require` means `verify-ca`.
      return [settings.sslRootCert ? verifyAuthority(settings) : unverified(settings)];
    case 'verify-ca':
      return [verifyAuthority(settings)];
    case 'verify-full':
      return [{ ...certificates(settings), rejectUnauthorized: true }];
  }
}

function unverified(settings: ConnectionSettings): ConnectionOptions {
  return { ...certificates(settings), rejectUnauthorized: false };
}

function verifyAuthority(settings: ConnectionSettings): ConnectionOptions {
  return { ...certificates(settings), rejectUnauthorized: true, checkServerIdentity: () => undefined };
}

function certificates(settings: ConnectionSettings): ConnectionOptions {
  const { sslRootCert, sslCert, sslKey } = settings;
  return {
    ...(sslRootCert && sslRootCert !== 'system' ? { ca: readPem(sslRootCert, 'sslrootcert') } : {}),
    ...(sslCert ? { cert: readPem(sslCert, 'sslcert') } : {}),
    ...(sslKey ? { key: readPem(sslKey, 'sslkey') } : {}),
  };
}

function readPem(path: string, parameter: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Failure('config_invalid', `The file of ${parameter} cannot be read: ${path}.`, {
      hint: `Give a readable PEM file in the "${parameter}" parameter of the database URL.`,
      cause,
    });
  }
}

function parseUrl(text: string): URL {
  if (/^postgres(ql)?:\/\//.test(text)) {
    // A host is mandatory for the URL parser; libpq allows none (socket or default host).
    const padded = text.replace(/^(postgres(?:ql)?:\/\/)((?:[^/?#@]*@)?)(?=[/?#:]|$)/, '$1$2localhost');
    const url = URL.canParse(padded) ? new URL(padded) : undefined;
    // A `/`, `?` or `#` in the password ends the host too early; the rest of the password would stand in messages as the database's name.
    if (url !== undefined && !url.pathname.includes('@') && url.hash === '') return url;
  }
  throw invalid('The database URL is not of the form postgres://user:password@host:port/database.');
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw invalid('The port in the database URL is not a port.');
  return port;
}

function parseSslMode(text: string): SslMode {
  if (!SSL_MODES.includes(text))
    throw invalid(`The sslmode in the database URL is not one of ${SSL_MODES.join(', ')}.`);
  return text as SslMode;
}

function parseTimeout(text: string | null): number {
  const seconds = Number(text ?? DEFAULT_CONNECT_TIMEOUT_S);
  if (!Number.isFinite(seconds) || seconds < 0) throw invalid('The connect_timeout in the database URL is no number.');
  return seconds || DEFAULT_CONNECT_TIMEOUT_S;
}

function invalid(message: string): Failure {
  return new Failure('config_invalid', message, {
    hint: 'Write it like postgres://backup:secret@db.example:5432/clinic?sslmode=verify-full; escape special characters in the password with %XX.',
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('The database URL holds a % that escapes nothing.');
  }
}

function unbracketed(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1');
}

function optional<K extends string>(key: K, value: string | null): { readonly [P in K]?: string } {
  return (value ? { [key]: value } : {}) as { readonly [P in K]?: string };
}
