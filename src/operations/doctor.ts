/** What is wrong with a set-up, and how to mend it: configuration, storages, repository, databases, files, this machine. Changes nothing. */
import type { DoctorInput } from './doctor/input.ts';
import { machineFindings } from './doctor/machine.ts';
import { repositoryFindings } from './doctor/repository.ts';
import { sourceFindings } from './doctor/sources.ts';
import { storageFindings } from './doctor/storages.ts';
import { type DoctorFinding, remark } from './doctor-finding.ts';

export { gatherSetup } from './doctor/gather.ts';
export type { DoctorFinding } from './doctor-finding.ts';

export async function doctor(input: DoctorInput): Promise<DoctorFinding[]> {
  const findings: DoctorFinding[] = input.remarks.map(({ path, message }) =>
    remark(path === '' ? 'configuration' : `configuration, ${path}`, message),
  );
  const parts = [
    ['machine', 'this machine', () => machineFindings(input)],
    ['storages', 'storages', () => storageFindings(input)],
    ['repository', 'repository', () => repositoryFindings(input)],
    ['sources', 'sources', () => sourceFindings(input)],
  ] as const;
  for (const [step, title, look] of parts) {
    input.progress({ type: 'step', step, title: `looking at ${title}` });
    findings.push(...(await look()));
    input.progress({ type: 'done', step, outcome: 'done' });
  }
  return findings;
}
