/** Why a connection was not made, from the SQLSTATE the server gave or the error the network gave. Messages may be translated; codes are not. */
import type { Failure } from '../../base/failure.ts';
import { type ConnectionSettings, describeTarget } from '../connection-settings.ts';
import { quoted } from '../quoting.ts';
import { sqlstateOf } from '../server-error.ts';
import { type Finding, problem } from './finding.ts';

/** Explains a failed connection; `replication` tells which kind was tried. */
export function connectionFinding(failure: Failure, settings: ConnectionSettings, replication: boolean): Finding {
  const role = quoted(settings.user);
  switch (sqlstateOf(failure)) {
    case '28P01':
      return problem(
        'password_wrong',
        `The password of role ${role} was not accepted.`,
        `ALTER ROLE ${role} PASSWORD '…';`,
      );
    case '28000':
      return authorizationFinding(failure, settings, replication);
    case '3D000': {
      const database = quoted(settings.database);
      return problem(
        'database_missing',
        `There is no database ${database} on this server.`,
        `Mend its name in the URL, or: CREATE DATABASE ${database};`,
      );
    }
    case '42501':
      return replicationRight(role);
    case '53300':
      return replication ? sendersExhausted() : connectionsExhausted();
    case '57P03':
      return problem(
        'not_accepting',
        `The server does not accept connections yet: ${failure.message}`,
        'Wait until it has started.',
      );
    default:
      return networkFinding(failure, settings);
  }
}

/** The role may not open a replication connection. */
export function replicationRight(role: string): Finding {
  const what = `Role ${role} may not make physical backups: it lacks REPLICATION.`;
  return problem('role_lacks_replication', what, `ALTER ROLE ${role} WITH REPLICATION;`);
}

function authorizationFinding(failure: Failure, settings: ConnectionSettings, replication: boolean): Finding {
  const role = quoted(settings.user);
  if (/pg_hba/.test(failure.message)) return hbaFinding(failure, settings, replication);
  if (/certificate/i.test(failure.message)) {
    const mend = 'Name the client certificate in the URL: sslcert=…&sslkey=…';
    return problem('client_certificate', `The server wants a client certificate: ${failure.message}`, mend);
  }
  if (/not permitted to log in/.test(failure.message)) {
    return problem('role_cannot_login', `Role ${role} may not log in.`, `ALTER ROLE ${role} WITH LOGIN;`);
  }
  const mend = `CREATE ROLE ${role} WITH LOGIN REPLICATION PASSWORD '…';`;
  return problem('role_missing', `The server does not let role ${role} in: ${failure.message}`, mend);
}

/** The exact pg_hba line; the server's message names the address it saw us come from. */
function hbaFinding(failure: Failure, settings: ConnectionSettings, replication: boolean): Finding {
  const address = /"([0-9a-fA-F:.]+)"/.exec(failure.message)?.[1];
  const database = replication ? 'replication' : hbaName(settings.database);
  const line = address
    ? `host  ${database}  ${hbaName(settings.user)}  ${address}/${address.includes(':') ? 128 : 32}  scram-sha-256`
    : `local  ${database}  ${hbaName(settings.user)}  scram-sha-256`;
  const what = `pg_hba.conf lets nobody in from here as ${describeTarget(settings)}. Add the line, then: SELECT pg_reload_conf();`;
  return problem('hba_rejected', what, line);
}

function hbaName(name: string): string {
  return /^[A-Za-z_][\w$]*$/.test(name) && !/^(all|replication|sameuser|samerole)$/i.test(name) ? name : quoted(name);
}

function sendersExhausted(): Finding {
  const what = 'No WAL sender is free: a backup needs two. The setting takes effect after a restart.';
  return problem('wal_senders_exhausted', what, 'ALTER SYSTEM SET max_wal_senders = 10;');
}

function connectionsExhausted(): Finding {
  const what = 'All connections of the server, or of the role, are in use. The setting takes effect after a restart.';
  return problem('connections_exhausted', what, 'ALTER SYSTEM SET max_connections = 200;');
}

function networkFinding(failure: Failure, settings: ConnectionSettings): Finding {
  if (/SSL|TLS|certificate|self.signed|altnames/i.test(failure.message)) {
    const what = `No secure connection as sslmode=${settings.sslMode} demands: ${failure.message}`;
    const mend = /does not support SSL/.test(failure.message)
      ? 'Switch TLS on at the server: ALTER SYSTEM SET ssl = on; or, on one and the same machine, leave sslmode out of the URL.'
      : "Name the certificate that signed the server's in the URL: sslrootcert=/path/ca.pem";
    return problem('tls', what, mend);
  }
  const mend = `Is the server running, and are host and port in the URL right? To ask it: pg_isready -h ${settings.host} -p ${settings.port}`;
  return problem('unreachable', `No PostgreSQL answers as ${describeTarget(settings)}: ${failure.message}`, mend);
}
