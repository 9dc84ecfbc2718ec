/** How well the service is locked up: who can read its files, how it is reached, who may do what with what proof. */
import { stat } from 'node:fs/promises';
import { isIP } from 'node:net';
import { type DoctorFinding, good, problem, remark } from '../../operations/doctor-finding.ts';
import type { HealthInput } from '../health-checks.ts';

const ABOUT = 'security';
const FOR_OTHERS = 0o077;
const DAY = 24 * 3_600_000;
const UNUSED = 90 * DAY;

export async function securityFindings(input: HealthInput): Promise<DoctorFinding[]> {
  const found = [await files(input), await connection(input), await accounts(input), await tokens(input)];
  return found.every(({ severity }) => severity === 'good') ? [good(ABOUT, 'Nothing to find fault with.')] : found;
}

async function files({ config }: HealthInput): Promise<DoctorFinding> {
  const place = await config.catalog();
  const paths = [config.file, ...('path' in place ? [place.path] : [])];
  for (const path of paths) {
    const mode = (await stat(path)).mode & FOR_OTHERS;
    if (mode !== 0) return remark(ABOUT, `${path} can be read or changed by others.`, `chmod 600 ${path}`);
  }
  return good(ABOUT, 'Configuration and catalog are for their owner only.');
}

async function connection({ config }: HealthInput): Promise<DoctorFinding> {
  const { host, tls, url, trustedProxies } = await config.server();
  const local = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  const safe = local || tls !== undefined || (url?.startsWith('https:') === true && trustedProxies.length > 0);
  if (safe) return good(ABOUT, 'What is sent to the service is encrypted or does not leave the machine.');
  return problem(
    ABOUT,
    `The service is reached at ${host} without TLS.`,
    'Set server.tls, or a proxy and server.trustedProxies.',
  );
}

async function accounts({ catalog: { db } }: HealthInput): Promise<DoctorFinding> {
  const bare = await db
    .selectFrom('users')
    .innerJoin('grants', 'grants.user_id', 'users.id')
    .select('users.name')
    .distinct()
    .where('grants.role', '=', 'administrator')
    .where('users.disabled', '=', 0)
    .where('users.password', 'is not', null)
    .where('users.totp_secret', 'is', null)
    .execute();
  if (bare.length === 0) return good(ABOUT, 'Every administrator has a second factor.');
  const names = bare
    .map(({ name }) => name)
    .slice(0, 5)
    .join(', ');
  return remark(ABOUT, `Administrators without a second factor: ${names}.`, 'Let them set one up in their account.');
}

async function tokens({ catalog: { db }, clock }: HealthInput): Promise<DoctorFinding> {
  const endless = await db
    .selectFrom('tokens')
    .select('name')
    .where('revoked_at', 'is', null)
    .where('expires_at', 'is', null)
    .where('created_at', '<', clock.now() - UNUSED)
    .where((eb) => eb.or([eb('used_at', 'is', null), eb('used_at', '<', clock.now() - UNUSED)]))
    .execute();
  if (endless.length === 0) return good(ABOUT, 'No token lies about unused without an end.');
  const names = endless
    .map(({ name }) => name)
    .slice(0, 5)
    .join(', ');
  return remark(ABOUT, `Tokens without an end that nobody used for months: ${names}.`, 'holdfast token revoke NAME');
}
