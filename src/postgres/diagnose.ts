/** What stands between this machine and a backup of a PostgreSQL server, and how to mend it: for `doctor`, and for failed backups. */
import { asFailure, Failure, isFailure } from '../base/failure.ts';
import { type ConnectionSettings, parseConnectionUrl } from './connection-settings.ts';
import { connectionFinding } from './diagnosis/connection-findings.ts';
import { dataFindings } from './diagnosis/data-findings.ts';
import { type Finding, problem } from './diagnosis/finding.ts';
import { serverFindings } from './diagnosis/server-findings.ts';
import { ReplicationConnection } from './replication-connection.ts';
import { SqlSession } from './sql.ts';

export type { Finding } from './diagnosis/finding.ts';

export interface DiagnoseOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether queries over tables are configured (references, migrations, tenants): what hides rows is a problem then. */
  readonly logicalReads?: boolean;
}

/** All findings, problems first; an empty list means that backups can be made. Throws only when interrupted. */
export async function diagnose(url: string, options: DiagnoseOptions = {}): Promise<readonly Finding[]> {
  try {
    return await diagnoseServer(parseConnectionUrl(url), options);
  } catch (error) {
    if (!isFailure(error, 'config_invalid')) throw error;
    return [problem('url_invalid', error.message, error.hint ?? '')];
  }
}

/** `failure` with the statement that mends its cause as its hint, where looking at the server shows one. */
export async function explained(
  failure: Failure,
  settings: ConnectionSettings,
  options: DiagnoseOptions,
): Promise<Failure> {
  if (!isFailure(failure, 'postgres_refused', 'postgres_unreachable', 'postgres_backup_failed', 'postgres_protocol'))
    return failure;
  const findings = await diagnoseServer(settings, options).catch(() => []);
  const first = findings.find((finding) => finding.severity === 'problem');
  if (!first) return failure;
  return new Failure(failure.code, failure.message, {
    hint: `${first.what.includes(failure.message) ? '' : first.what} ${first.mend}`.trim(),
    cause: failure,
    details: { ...failure.details, finding: first.code, mend: first.mend },
  });
}

async function diagnoseServer(settings: ConnectionSettings, options: DiagnoseOptions): Promise<readonly Finding[]> {
  const { signal, logicalReads = false } = options;
  const findings: Finding[] = [];
  try {
    await using sql = await SqlSession.open(settings, { signal });
    findings.push(...(await serverFindings(sql)));
    findings.push(...(await dataFindings(sql, settings.user, logicalReads)));
  } catch (error) {
    return [connectionFinding(interruptedOr(error), settings, false)];
  }
  // Where settings already say why replication is impossible, trying it would only say so again.
  if (!findings.some((finding) => finding.severity === 'problem'))
    findings.push(...(await replicationFindings(settings, signal)));
  return findings.sort((a, b) => Number(a.severity === 'remark') - Number(b.severity === 'remark'));
}

async function replicationFindings(
  settings: ConnectionSettings,
  signal: AbortSignal | undefined,
): Promise<readonly Finding[]> {
  try {
    await using connection = await ReplicationConnection.open(settings, { signal });
    await connection.query('IDENTIFY_SYSTEM');
    return [];
  } catch (error) {
    return [connectionFinding(interruptedOr(error), settings, true)];
  }
}

function interruptedOr(error: unknown): Failure {
  const failure = asFailure(error);
  if (failure.code === 'interrupted') throw failure;
  return failure;
}
