/** Findings of the health checks. */
import type { DoctorFinding } from '../../operations/doctor.ts';

export function problem(about: string, what: string, mend = ''): DoctorFinding {
  return { severity: 'problem', about, what, mend };
}

export function remark(about: string, what: string, mend = ''): DoctorFinding {
  return { severity: 'remark', about, what, mend };
}

export function good(about: string, what: string): DoctorFinding {
  return { severity: 'good', about, what, mend: '' };
}
