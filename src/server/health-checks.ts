/** Whether the service itself is fit for its work: its database, this machine, the parts that make backups, how well it is locked up. */
import type { Clock } from '../base/clock.ts';
import { asFailure } from '../base/failure.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Configuration } from '../config/configuration.ts';
import type { DoctorFinding } from '../operations/doctor-finding.ts';
import { backupSystemFindings } from './health/backup-system.ts';
import { databaseFindings } from './health/database.ts';
import { machineFindings } from './health/machine.ts';
import { securityFindings } from './health/security.ts';
import { storageFindings } from './health/storages.ts';

export interface HealthInput {
  readonly catalog: Catalog;
  readonly config: Configuration;
  readonly clock: Clock;
}

/** In the words of the doctor, so that both can be shown as one list. Changes nothing and asks no storage. */
export async function serviceFindings(input: HealthInput): Promise<DoctorFinding[]> {
  const parts = [
    ['catalog', databaseFindings],
    ['storages', storageFindings],
    ['machine of the service', machineFindings],
    ['backup system', backupSystemFindings],
    ['security', securityFindings],
  ] as const;
  const findings: DoctorFinding[] = [];
  for (const [about, look] of parts) {
    findings.push(...(await look(input).catch((error: unknown) => [unknown(about, error)])));
  }
  return findings;
}

function unknown(about: string, error: unknown): DoctorFinding {
  const { message, hint = '' } = asFailure(error);
  return { severity: 'problem', about, what: message, mend: hint };
}
